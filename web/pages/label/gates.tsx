/** What comes before the first answer: a name, and what the rater agrees to. */
import { useState } from 'react'
import { setRaterName } from '../../api.ts'
import { PageHead } from '../../components/page-head.tsx'
import { useTexts } from '../../texts/texts.ts'
import { GuidelinesText } from './guidelines.tsx'

export function NameGate() {
  const { label } = useTexts()
  const [name, setName] = useState('')
  return (
    <form
      className="card stack narrow"
      onSubmit={(event) => {
        event.preventDefault()
        if (name.trim() !== '') setRaterName(name)
      }}
    >
      <PageHead title={label.whoIsLabelling}>{label.whyName}</PageHead>
      <div className="field">
        <label htmlFor="rater-name">{label.yourName}</label>
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
          {label.start}
        </button>
      </div>
    </form>
  )
}

export function ConsentGate({ text, agree }: { text: string; agree: () => void }) {
  const { label } = useTexts()
  return (
    <div className="card stack narrow">
      <PageHead title={label.beforeYouStart} />
      <GuidelinesText text={text} />
      <div>
        <button type="button" className="button primary big" onClick={agree}>
          {label.agree}
        </button>
      </div>
    </div>
  )
}
