/** What somebody sees whose browser has opened an address that shows nothing: the facts of the refusal as a page. */
import { html } from '../../report/page/markup.ts'
import type { Failure } from '../schemas/basics.ts'

/** Without a script, a link or the studio's own pages: whoever was sent a link need not have an account. */
export function refusalPage({ error: { expected, received, remedy } }: Failure): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Nothing to show</title>
        <style>
          body {
            font:
              1.05rem/1.5 system-ui,
              sans-serif;
            max-width: 36rem;
            margin: 15vh auto;
            padding: 0 1.5rem;
            overflow-wrap: anywhere;
          }
        </style>
      </head>
      <body>
        <main>
          <h1>Nothing to show here</h1>
          <p>Expected ${expected}, received ${received}.</p>
          <p>What to do: ${remedy}.</p>
        </main>
      </body>
    </html>`.text
}
