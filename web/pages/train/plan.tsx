/** What is to follow a job: queued together with it, so that no page has to stay open. */
import { isPolicyStage, stages, usualPolicyStage, type FormStage } from '../../../src/stages.ts'

import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'

export type NextStage = FormStage | 'compare'

/** In their order; what needs a policy is offered behind one. */
const following = [
  { stage: usualPolicyStage, title: 'policy', needsPolicy: false },
  { stage: 'report', title: 'report', needsPolicy: true },
  { stage: 'compare', title: 'compare', needsPolicy: true },
] as const satisfies readonly { stage: NextStage; title: keyof Texts['train']['plan']; needsPolicy: boolean }[]

interface PlanProps {
  readonly stage: FormStage
  readonly steps: readonly NextStage[]
  readonly choose: (steps: readonly NextStage[]) => void
}

export function Plan({ stage, steps, choose }: PlanProps) {
  const { plan } = useTexts().train
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
      <legend>{plan.title}</legend>
      {offered.map(({ stage: step, title, needsPolicy }) => (
        <label key={step} className="check">
          <input
            type="checkbox"
            checked={steps.includes(step)}
            disabled={needsPolicy && !hasPolicy}
            onChange={() => toggle(step)}
          />
          {title === 'policy' ? plan.policy(stages[usualPolicyStage].title) : plan[title]}
        </label>
      ))}
      <span className="hint">{plan.goesOn}</span>
    </fieldset>
  )
}
