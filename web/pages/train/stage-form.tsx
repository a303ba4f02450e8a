import { useState } from 'react'
import { settingGroups } from '../../../src/setting-groups.ts'
import { isPolicyStage } from '../../../src/stages.ts'
import type { FormField, SettingValue, StageForm } from '../../../src/studio/schemas/jobs.ts'
import { productOf } from '../../../src/studio/work.ts'
import { writtenBytes } from '../../../src/studio/writes.ts'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { client } from '../../api.ts'
import { useDisk } from '../../components/disk-room.tsx'
import { isWrong, SettingField, settingOf } from '../../components/setting-field.tsx'
import { size, stageSentence, stageTitle, timeLeft } from '../../format.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { useAction } from '../../remote.ts'
import { go } from '../../router.ts'
import { useStudio } from '../../studio-state.tsx'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'
import { MemoryPresets, usePresets } from './memory-presets.tsx'
import { Plan, type NextStage } from './plan.tsx'

interface StageFormProps {
  readonly form: StageForm
  /** A run whose settings it begins with. */
  readonly like?: Pick<RunRow, 'name' | 'settings'>
}

/** A stage's settings: those that matter, the others under "more". Only what was changed is sent. */
export function StageFormView({ form, like }: StageFormProps) {
  const {
    settings,
    machine,
    train: { form: texts },
  } = useTexts()
  const { reload } = useStudio()
  const [changed, setChanged] = useState<Readonly<Record<string, SettingValue>>>({})
  const [name, setName] = useState('')
  const [steps, setSteps] = useState<readonly NextStage[]>([])
  const begun = (field: FormField) => like?.settings[field.field] ?? field.default
  const fields = [...form.main, ...form.more]
  const wrong = fields.filter((field) => field.field in changed && isWrong(field, changed[field.field]))
  const { run, isBusy, error } = useAction(async () => {
    const settings = Object.fromEntries(
      fields.flatMap((field): [string, SettingValue][] =>
        field.field in changed ? [[field.field, settingOf(field, changed[field.field])]] : [],
      ),
    )
    const job = await client.startJob({
      stage: form.stage,
      settings,
      ...(name.trim() !== '' && { run: name.trim() }),
      ...(like !== undefined && { like: like.name }),
      then: steps.map((stage) => ({ stage })),
    })
    await reload()
    go('train', 'job', job.id)
  })
  const valueOf = (name: string): SettingValue => {
    const field = fields.find((one) => one.field === name)
    if (field === undefined) return null
    return field.field in changed ? settingOf(field, changed[field.field]) : begun(field)
  }
  const presets = usePresets(form, fields, valueOf)
  const isChanged = ({ field, default: usual }: FormField) => JSON.stringify(valueOf(field)) !== JSON.stringify(usual)
  const fill = (values: Readonly<Record<string, SettingValue>>) => setChanged({ ...changed, ...values })
  const show = (list: readonly FormField[]) => (
    <div className="fields">
      {list.map((field) => (
        <SettingField
          key={field.field}
          field={field}
          value={field.field in changed ? changed[field.field] : begun(field)}
          change={(value) => setChanged({ ...changed, [field.field]: value })}
          wrong={wrong.includes(field) ? field.expected : undefined}
        />
      ))}
    </div>
  )
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <div>
        <h2>{stageTitle(form.stage)}</h2>
        {/* The chooser of methods has said it. */}
        {!isPolicyStage(form.stage) && <p className="soft">{stageSentence(form.stage)}</p>}
      </div>
      {like !== undefined && (
        <div className="notice" role="status">
          <span dir="auto">
            {texts.like[0]} <strong>{like.name}</strong>
            {texts.like[1]}
          </span>
        </div>
      )}
      {form.missing !== null && <div className="notice warn">{texts.missing[form.missing] ?? form.missing}</div>}
      <RewardLack form={form} changed={{ ...like?.settings, ...changed }} />
      {show(form.main)}
      <MemoryPresets {...{ presets, fields, valueOf, fill }} time={timeOf(form.estimate, valueOf)} />
      <details className="more">
        <summary>
          {texts.more(form.more.length + 1)} <ChangedCount of={form.more} isChanged={isChanged} />
        </summary>
        <div className="stack">
          <div className="fields">
            <div className="field">
              <label htmlFor="run-name">{texts.name}</label>
              <input
                id="run-name"
                type="text"
                value={name}
                placeholder={settings.automatic}
                pattern="[a-z0-9][a-z0-9.\-]{0,79}"
                onChange={({ target }) => setName(target.value)}
              />
              <span className="hint">{texts.nameHint}</span>
            </div>
          </div>
          {settingGroups.map((group) => {
            const members = form.more.filter((field) => field.group === group)
            if (members.length === 0) return null
            return (
              <section key={group} className="stack tight" aria-labelledby={`settings-${group}`}>
                <h3 id={`settings-${group}`}>
                  {machine.groups[group]} <ChangedCount of={members} isChanged={isChanged} />
                </h3>
                {show(members)}
              </section>
            )
          })}
        </div>
      </details>
      <Plan stage={form.stage} steps={steps} choose={setSteps} />
      <TooLargeForDisk stage={form.stage} valueOf={valueOf} trainedBytes={presets.value?.trainedBytes ?? 0} />
      <ErrorNotice error={error} />
      <div className="row">
        <button
          type="submit"
          className="button primary big"
          disabled={isBusy || form.missing !== null || wrong.length > 0}
        >
          {isBusy ? texts.starting : texts.start}
        </button>
        <span className="soft small">{estimateSentence(form.estimate, valueOf, texts)}</span>
      </div>
    </form>
  )
}

/** How many of these are other than usual. */
function ChangedCount({ of, isChanged }: { of: readonly FormField[]; isChanged: (field: FormField) => boolean }) {
  const { changed } = useTexts().machine
  const count = of.filter(isChanged).length
  return count === 0 ? null : <span className="badge changed-count">{changed(count)}</span>
}

function timeOf(estimate: StageForm['estimate'], valueOf: (name: string) => SettingValue): string | null {
  const done = estimate === null ? undefined : productOf(estimate.work, valueOf)
  return done === undefined ? null : timeLeft(estimate!.startSeconds + estimate!.secondsPerWork * done)
}

/** How long it takes as it is filled in, and how that is known. */
function estimateSentence(
  estimate: StageForm['estimate'],
  valueOf: (name: string) => SettingValue,
  texts: Texts['train']['form'],
): string {
  if (estimate === null) return texts.unknownTime
  const { run, isOfThisMachine } = estimate
  const time = timeOf(estimate, valueOf)
  if (time === null) return ''
  if (run !== null) return texts.takesAs(time, run)
  return isOfThisMachine ? texts.takesHere(time) : texts.takesUsually(time)
}

interface WritesProps {
  readonly stage: StageForm['stage']
  readonly valueOf: (name: string) => SettingValue
  readonly trainedBytes: number
}

/** Said before it begins where what it writes finds no room. */
function TooLargeForDisk({ stage, valueOf, trainedBytes }: WritesProps) {
  const texts = useTexts().machine.disk
  const { value } = useDisk()
  if (value === undefined) return null
  const { freeBytes, imageBytes } = value
  const writes = writtenBytes(stage, valueOf, { imageBytes, trainedBytes })
  if (writes <= freeBytes) return null
  return (
    <div className="notice warn" role="status">
      <strong>{texts.tooMuch}</strong>
      <span>{texts.tooMuchWhy(size(writes), size(freeBytes))}</span>
    </div>
  )
}

/** Whoever starts a policy by hand is told where its reward is not proven. */
function RewardLack({ form, changed }: { form: StageForm; changed: Readonly<Record<string, SettingValue>> }) {
  const {
    next,
    train: { form: texts },
  } = useTexts()
  const { state } = useStudio()
  const field = [...form.main, ...form.more].find((one) => one.field === 'reward' && one.type === 'run')
  if (field === undefined || !isPolicyStage(form.stage)) return null
  const name = 'reward' in changed ? changed.reward : field.default
  const reward = state?.rewards.find((one) => one.name === name)
  if (reward === undefined || reward.lack === null) return null
  return (
    <div className="notice warn" role="status">
      <strong>{texts.notProven}</strong>
      <span>
        {next.lack(reward.name, reward.lack)} {texts.notProvenWhy}
      </span>
    </div>
  )
}
