/** What comes before the first answer: a name, and what the rater agrees to. */
import { useState } from 'react'
import { setRaterName } from '../../api.ts'
import { PageHead } from '../../components/page-head.tsx'
import { GuidelinesText } from './guidelines.tsx'

export function NameGate() {
  const [name, setName] = useState('')
  return (
    <form
      className="card stack narrow"
      onSubmit={(event) => {
        event.preventDefault()
        if (name.trim() !== '') setRaterName(name)
      }}
    >
      <PageHead title="Who is labelling?">
        Answers are filed under a name, so that raters can be told apart. Any name will do.
      </PageHead>
      <div className="field">
        <label htmlFor="rater-name">Your name</label>
        <input
          id="rater-name"
          type="text"
          value={name}
          maxLength={200}
          autoComplete="nickname"
          autoFocus
          onChange={({ target }) => setName(target.value)}
        />
      </div>
      <div>
        <button type="submit" className="button primary big" disabled={name.trim() === ''}>
          Start labelling
        </button>
      </div>
    </form>
  )
}

export function ConsentGate({ text, agree }: { text: string; agree: () => void }) {
  return (
    <div className="card stack narrow">
      <PageHead title="Before you start" />
      <GuidelinesText text={text} />
      <div>
        <button type="button" className="button primary big" onClick={agree}>
          I agree
        </button>
      </div>
    </div>
  )
}
