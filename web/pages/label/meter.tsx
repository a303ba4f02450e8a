/** What labels buy, beside the questions: as it was measured, and by the last reward of the workspace. */
import { firstAhead, labelCurve } from '../../../src/label-curve.ts'
import { figure } from '../../format.ts'
import { useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'

const told = [30, 60, 120, 360, 720, 1440]
const steps = labelCurve
  .filter(({ labels }) => told.includes(labels))
  .map(({ labels, auc }) => `${figure(labels)}: AUC ${auc.toFixed(2)}`)
  .join(', ')

export function LabelMeter() {
  const { label } = useTexts()
  const { state } = useStudio()
  if (state === undefined) return null
  const [reward] = state.rewards
  const auc = reward?.heldOut?.auc
  return (
    <p className="soft small wide-only">
      {label.buys(state.counts.labels, firstAhead, steps)}
      {typeof auc === 'number' && ` ${label.ownReward(reward.name, auc.toFixed(2), reward.labels)}`}
    </p>
  )
}
