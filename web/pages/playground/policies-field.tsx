/** Which policies draw, one to four of them, each at a strength of its own. */
import { mostPoliciesDrawn, mostStrength, type PlaygroundState } from '../../../src/studio/schemas/playground.ts'
import { Icon } from '../../components/icon.tsx'
import { policyTitle } from '../../format.ts'

export interface ChosenPolicy {
  readonly policy: string
  readonly strength: number
}

interface PoliciesFieldProps {
  readonly known: PlaygroundState['policies']
  readonly chosen: readonly ChosenPolicy[]
  readonly change: (chosen: readonly ChosenPolicy[]) => void
}

const hints = {
  none: '',
  adapters: 'of its adapters: 0 is the pre-trained model, 1 as it was trained',
  weights: 'between the pre-trained weights (0) and its own (1), and beyond',
} as const

export function PoliciesField({ known, chosen, change }: PoliciesFieldProps) {
  const set = (place: number, one: ChosenPolicy) => change(chosen.with(place, one))
  const unused = known.find(({ policy }) => chosen.every((one) => one.policy !== policy)) ?? known[0]
  return (
    <fieldset className="field play-policies">
      <legend>Policies, beside each other</legend>
      <ol>
        {chosen.map(({ policy, strength }, place) => {
          const { change: what = 'none' } = known.find((one) => one.policy === policy) ?? {}
          const name = `Policy ${place + 1}`
          return (
            <li key={place}>
              <div className="play-policy">
                <select
                  aria-label={name}
                  value={policy}
                  onChange={({ target }) => set(place, { policy: target.value, strength: 1 })}
                >
                  <Options known={known} kind="pretrained" />
                  <Options known={known} kind="run" title="Policies" />
                  <Options known={known} kind="lora" title="LoRA files" />
                </select>
                {chosen.length > 1 && (
                  <button
                    type="button"
                    className="button small quiet icon"
                    aria-label={`Remove ${name.toLowerCase()}`}
                    onClick={() => change(chosen.toSpliced(place, 1))}
                  >
                    <Icon name="close" size={18} />
                  </button>
                )}
              </div>
              {what !== 'none' && (
                <label className="play-strength" title={`Strength ${hints[what]}`}>
                  <span className="small">Strength</span>
                  <input
                    type="range"
                    aria-label={`Strength of ${name.toLowerCase()}`}
                    min={0}
                    max={mostStrength}
                    step={0.05}
                    value={strength}
                    onChange={({ target }) => set(place, { policy, strength: target.valueAsNumber })}
                  />
                  <output className="small number">{strength.toFixed(2)}</output>
                </label>
              )}
            </li>
          )
        })}
      </ol>
      {chosen.length < mostPoliciesDrawn && (
        <button
          type="button"
          className="button small"
          onClick={() => change([...chosen, { policy: unused.policy, strength: 1 }])}
        >
          Add a policy
        </button>
      )}
    </fieldset>
  )
}

function Options({ known, kind, title }: Pick<PoliciesFieldProps, 'known'> & { kind: string; title?: string }) {
  const options = known
    .filter((one) => one.kind === kind)
    .map(({ policy }) => (
      <option key={policy} value={policy}>
        {policyTitle(policy)}
      </option>
    ))
  if (options.length === 0) return null
  return title === undefined ? options : <optgroup label={title}>{options}</optgroup>
}
