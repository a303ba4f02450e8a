/** Which policies draw, one to four of them, each at a strength of its own. */
import { mostPoliciesDrawn, mostStrength, type PlaygroundState } from '../../../src/studio/schemas/playground.ts'
import { Icon } from '../../components/icon.tsx'
import { fixed, policyTitle } from '../../format.ts'
import { useTexts } from '../../texts/texts.ts'

export interface ChosenPolicy {
  readonly policy: string
  readonly strength: number
}

interface PoliciesFieldProps {
  readonly known: PlaygroundState['policies']
  readonly chosen: readonly ChosenPolicy[]
  readonly change: (chosen: readonly ChosenPolicy[]) => void
}

export function PoliciesField({ known, chosen, change }: PoliciesFieldProps) {
  const { playground: texts } = useTexts()
  const set = (place: number, one: ChosenPolicy) => change(chosen.with(place, one))
  const unused = known.find(({ policy }) => chosen.every((one) => one.policy !== policy)) ?? known[0]
  return (
    <fieldset className="field play-policies">
      <legend>{texts.policies}</legend>
      <ol>
        {chosen.map(({ policy, strength }, place) => {
          const { change: what = 'none' } = known.find((one) => one.policy === policy) ?? {}
          return (
            <li key={place}>
              <div className="play-policy">
                <select
                  aria-label={texts.policy(place + 1)}
                  value={policy}
                  onChange={({ target }) => set(place, { policy: target.value, strength: 1 })}
                >
                  <Options known={known} kind="pretrained" />
                  <Options known={known} kind="run" title={texts.runs} />
                  <Options known={known} kind="lora" title={texts.loras} />
                </select>
                {chosen.length > 1 && (
                  <button
                    type="button"
                    className="button small quiet icon"
                    aria-label={texts.removePolicy(place + 1)}
                    onClick={() => change(chosen.toSpliced(place, 1))}
                  >
                    <Icon name="close" size={18} />
                  </button>
                )}
              </div>
              {what !== 'none' && (
                <label className="play-strength" title={texts.strengthHints[what]}>
                  <span className="small">{texts.strength}</span>
                  <input
                    type="range"
                    aria-label={texts.strengthOf(place + 1)}
                    min={0}
                    max={mostStrength}
                    step={0.05}
                    value={strength}
                    onChange={({ target }) => set(place, { policy, strength: target.valueAsNumber })}
                  />
                  <output className="small number">{fixed(strength, 2)}</output>
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
          {texts.addPolicy}
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
