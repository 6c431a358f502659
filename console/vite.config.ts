import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

// The built files lie beside the API's code, all in one folder: the server sends them as /console/{file}.
export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  base: './',
  resolve: mode === 'test' ? { conditions: ['browser'] } : {},
  build: {
    outDir: '../src/linocut/api/console',
    emptyOutDir: true,
    assetsDir: '',
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: fonts or scripts
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  server: {
    // `npm run dev` beside a running `linocut serve`
    proxy: { '^/(?!console/)': { target: 'http://127.0.0.1:8731', changeOrigin: false } },
  },
  // One jsdom for all files: making one takes longer than the tests.
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'], isolate: false, fileParallelism: false },
}))
