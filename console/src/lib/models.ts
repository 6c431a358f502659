// What is known of a custom model beyond its status.
import type { Schemas } from './api'

/** The server's sentence of a training that its owner stopped; its status is ERRORED, as of one that failed. */
export const STOPPED = 'The training was cancelled by its owner.'

export const wasStopped = (model: Schemas['CustomModel']): boolean => model.status === 'ERRORED' && model.x_linocut?.error === STOPPED
