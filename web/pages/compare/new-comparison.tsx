import { useState } from 'react'
import { client } from '../../api.ts'
import { Empty, ErrorNotice } from '../../components/notice.tsx'
import { NextNeeded } from '../../components/next-needed.tsx'
import { policyTitle } from '../../format.ts'
import { promptLines } from '../../prompt-lines.ts'
import { PromptsBox } from '../../components/prompts-box.tsx'
import { useAction } from '../../remote.ts'
import { go } from '../../router.ts'
import { useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'

const most = 6

/** Which policies draw what. */
export function NewComparisonForm() {
  const { compare: texts } = useTexts()
  const { state, reload } = useStudio()
  const policies = ['pretrained', ...(state?.policies.map(({ name }) => name) ?? [])]
  const [picked, setPicked] = useState<readonly string[]>()
  const [prompts, setPrompts] = useState('')
  const [promptCount, setPromptCount] = useState(12)
  const [perPrompt, setPerPrompt] = useState(4)
  const chosen = picked ?? policies.slice(0, 2)
  const { texts: lines } = promptLines(prompts)
  const { run, isBusy, error } = useAction(async () => {
    const { id } = await client.compare({
      policies: [...chosen],
      perPrompt,
      ...(lines.length > 0 ? { prompts: [...lines] } : { promptCount }),
    })
    await reload()
    go('compare', id)
  })
  if (policies.length < 2) {
    return (
      <Empty icon="compare" title={texts.nothing} action={<NextNeeded of={['images', 'labels', 'reward', 'policy']} />}>
        {texts.nothingWhy}
      </Empty>
    )
  }
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <h2>{texts.fresh}</h2>
      <div className="fields">
        <fieldset className="field">
          <legend>{texts.policies}</legend>
          {policies.map((policy) => (
            <label key={policy} className="check">
              <input
                type="checkbox"
                checked={chosen.includes(policy)}
                disabled={!chosen.includes(policy) && chosen.length >= most}
                onChange={({ target }) =>
                  setPicked(policies.filter((one) => (one === policy ? target.checked : chosen.includes(one))))
                }
              />
              <span dir="auto">{policyTitle(policy)}</span>
            </label>
          ))}
        </fieldset>
        <div className="field">
          <label htmlFor="compare-prompts">{texts.prompts}</label>
          <PromptsBox id="compare-prompts" value={prompts} placeholder={texts.promptsEmpty} change={setPrompts} />
        </div>
        <div className="stack tight">
          {lines.length === 0 && (
            <Number id="compare-count" label={texts.howMany} value={promptCount} max={79} change={setPromptCount} />
          )}
          <Number
            id="compare-per-prompt"
            label={texts.imagesOfEach}
            hint={texts.fourMakeASet}
            value={perPrompt}
            max={8}
            change={setPerPrompt}
          />
        </div>
      </div>
      <ErrorNotice error={error} />
      <div>
        <button type="submit" className="button primary" disabled={isBusy || chosen.length < 2}>
          {isBusy ? texts.starting : texts.start}
        </button>
      </div>
    </form>
  )
}

interface NumberProps {
  readonly id: string
  readonly label: string
  readonly hint?: string
  readonly value: number
  readonly max: number
  readonly change: (value: number) => void
}

const Number = ({ id, label, hint, value, max, change }: NumberProps) => (
  <div className="field">
    <label htmlFor={id}>{label}</label>
    <input
      id={id}
      type="number"
      min={1}
      max={max}
      required
      value={value}
      onChange={({ target }) => change(target.valueAsNumber)}
    />
    {hint !== undefined && <span className="hint">{hint}</span>}
  </div>
)
