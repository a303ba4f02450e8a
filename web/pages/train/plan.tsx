/** What is to follow a job: queued together with it, so that no page has to stay open. */
import { isPolicyStage, stages, usualPolicyStage, type FormStage } from '../../../src/stages.ts'

export type NextStage = FormStage | 'compare'

/** In their order; what needs a policy is offered behind one. */
const following: readonly { readonly stage: NextStage; readonly title: string; readonly needsPolicy: boolean }[] = [
  { stage: usualPolicyStage, title: `Fine-tune on it (${stages[usualPolicyStage].title})`, needsPolicy: false },
  { stage: 'report', title: 'Write a report of it', needsPolicy: true },
  { stage: 'compare', title: 'Draw a blind comparison with the pre-trained model', needsPolicy: true },
]

interface PlanProps {
  readonly stage: FormStage
  readonly steps: readonly NextStage[]
  readonly choose: (steps: readonly NextStage[]) => void
}

export function Plan({ stage, steps, choose }: PlanProps) {
  const isReward = stages[stage].kind === 'reward'
  if (!isReward && !isPolicyStage(stage)) return null
  const offered = following.filter(({ needsPolicy }) => isReward || needsPolicy)
  const hasPolicy = !isReward || steps.includes(usualPolicyStage)
  const toggle = (one: NextStage) => {
    const next = steps.includes(one) ? steps.filter((step) => step !== one) : [...steps, one]
    const keepsPolicy = !isReward || next.includes(usualPolicyStage)
    choose(following.flatMap(({ stage: step, needsPolicy }) => (next.includes(step) && (keepsPolicy || !needsPolicy) ? [step] : []))) // prettier-ignore
  }
  return (
    <fieldset className="plan">
      <legend>Then</legend>
      {offered.map(({ stage: step, title, needsPolicy }) => (
        <label key={step} className="check">
          <input
            type="checkbox"
            checked={steps.includes(step)}
            disabled={needsPolicy && !hasPolicy}
            onChange={() => toggle(step)}
          />
          {title}
        </label>
      ))}
      <span className="hint">The studio goes on by itself when this page is closed.</span>
    </fieldset>
  )
}
