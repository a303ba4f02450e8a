// The general styles come before those that pages bring along and that may override them.
import './styles/tokens.css'
import './styles/base.css'
import './styles/layout.css'
import './styles/components.css'
import './styles/jobs.css'
import './styles/tables.css'
import './styles/forms.css'
import './styles/dialogs.css'
import './theme.ts'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { z } from 'zod'
import { App } from './app.tsx'
import { startSpeaking } from './texts/texts.ts'

// Zod would compile its checks with `new Function`, which the content policy refuses.
z.config({ jitless: true })

await startSpeaking()
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
