import '@fontsource-variable/inter/wght.css'
import './styles/theme.css'
import './styles/base.css'
import { mount } from 'svelte'
import App from './App.svelte'

mount(App, { target: document.getElementById('app')! })
