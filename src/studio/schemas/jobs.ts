/** Jobs: forms of the stages, what runs, what it measured and drew. */
import { z } from 'zod'
import { settingGroups } from '../../setting-groups.ts'
import { formStages } from '../../stages.ts'
import { count, RunName, text, time } from './basics.ts'

/** A job is held where it cannot, or should not, begin by itself although its turn has come. */
const jobStates = ['waiting', 'held', 'running', 'stopping', 'stopped', 'done', 'failed'] as const
export const JobState = z.enum(jobStates)
export type JobState = z.infer<typeof JobState>

/** The stages that the page can start. */
export const FormStage = z.enum(formStages)

export const SettingValue = z.union([z.number(), text, z.boolean(), z.null(), z.array(z.union([z.number(), text]))])
export type SettingValue = z.infer<typeof SettingValue>

export const JobProgress = z.object({
  /** What is being done now, as the progress line says: `dpok`, `reward without held-out prompts`. */
  label: z.string(),
  done: count,
  total: count,
  unit: z.string(),
  /** `reward 0.610 KL 3.20 nats` */
  note: z.string(),
})
export type JobProgress = z.infer<typeof JobProgress>

/** What a running job takes of the machine, all of its processes. */
export const JobLoad = z.object({
  /** Cores that it kept busy of late: `1.9`. */
  cores: z.number().nonnegative(),
  ofCores: z.number().positive(),
  memoryBytes: z.number().nonnegative(),
  /** Of the machine, or what its container may take. */
  ofMemoryBytes: z.number().positive(),
})
export type JobLoad = z.infer<typeof JobLoad>

export const Job = z.object({
  id: z.string(),
  stage: FormStage,
  /** Of the run folder that it writes; rewards, policies, rounds and reports are named by it. */
  run: RunName,
  state: JobState,
  /** Jobs that come before it, for a waiting one. */
  ahead: count,
  /** Runs that other jobs still make, and that it is made from: it follows them. */
  follows: z.array(RunName),
  /** Where it runs or has run: `cuda:0`. While it waits, the devices that it could take, of which it needs `wanted`. */
  devices: z.array(z.string()),
  wanted: count,
  queuedAt: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  progress: JobProgress.nullable(),
  /** Seconds left, where they can be told. */
  etaSeconds: z.number().nonnegative().nullable(),
  /** Wall-clock seconds so far. */
  seconds: z.number().nonnegative(),
  /** Null unless it runs on this machine, and where the system does not tell. */
  load: JobLoad.nullable(),
  /** The line on which a failed job ended; why a held one has not begun. */
  error: z.string().nullable(),
  can: z.object({
    /** Or taken out of the queue. */
    stop: z.boolean(),
    /** Goes on with it; begins a held one all the same. */
    resume: z.boolean(),
    /** Draws sample images at the next step. */
    sample: z.boolean(),
  }),
})
export type Job = z.infer<typeof Job>

export const JobDetail = Job.extend({
  /** What it took in the last minutes, every two seconds, the oldest first. */
  recentLoad: z.array(JobLoad.pick({ cores: true, memoryBytes: true })),
  /** The last lines of what it printed. */
  log: z.array(z.string()),
  /** Prompts that it was given more than once: each is used once. */
  repeatedPrompts: count,
  /** Of images: whether they are for a blind comparison, and nobody is asked to label them. */
  isCompared: z.boolean(),
  /** What it was started with; runs by their names. */
  settings: z.record(z.string(), SettingValue),
  /** Of the manifest of a finished run; figures only. */
  results: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  /** The last alarm of over-optimisation that a training has raised, as a sentence. */
  alarm: z.string().nullable(),
})
export type JobDetail = z.infer<typeof JobDetail>

/** One setting as a form field; made from the schema that the command line's flag is made from. */
export const FormField = z.object({
  /** Key in `settings`. */
  field: z.string(),
  /** `KL weight` */
  label: z.string(),
  /** The heading under which it stands where there are many. */
  group: z.enum(settingGroups),
  type: z.enum(['number', 'integer', 'text', 'boolean', 'list', 'choice', 'choices', 'run', 'runs']),
  /** The sentence of the flag's help. */
  sentence: z.string(),
  /** What is accepted, in words: `a number ≥ 0`. */
  expected: z.string(),
  /** Null: left to the model, or nothing. */
  default: SettingValue,
  /** Whether null is accepted. */
  optional: z.boolean(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** Of `choice` and `choices`, and the runs that fit of `run` and `runs`; of a plural several may be picked. */
  choices: z.array(z.object({ value: z.string(), label: z.string() })),
})
export type FormField = z.infer<typeof FormField>

/** How long a stage takes, as far as it is known: the start, and so much for each unit of work. */
export const Estimate = z.object({
  /** The work is the product of these settings, of a list its length; of several the first that is set. */
  work: z.array(z.array(z.string())),
  startSeconds: z.number(),
  secondsPerWork: z.number(),
  /** A run of the stage in this workspace, by its name; null: judged by runs of other stages, or by another machine. */
  run: z.string().nullable(),
  isOfThisMachine: z.boolean(),
})
export type Estimate = z.infer<typeof Estimate>

export const StageForm = z.object({
  stage: FormStage,
  /** `DPOK fine-tuning` */
  title: z.string(),
  sentence: z.string(),
  /** What stands between the user and a start: `label at least one image good and one bad`. Null: it can be started. */
  missing: z.string().nullable(),
  estimate: Estimate.nullable(),
  main: z.array(FormField),
  more: z.array(FormField),
})
export type StageForm = z.infer<typeof StageForm>
/** What is to be asked of {@link Presets}. */
export const PresetsQuery = z.object({
  stage: FormStage,
  /** Settings that are not the form's defaults, as JSON: `{"rank": 16}`. */
  settings: z.string().max(8000).default('{}'),
})
export type PresetsQuery = z.input<typeof PresetsQuery>

/** Settings of a stage with which it fits into so much memory. */
export const Presets = z.object({
  /** They are still being worked out: ask again. */
  isReady: z.boolean(),
  /** Bytes of what is trained, which each checkpoint holds; null where it is not known. */
  trainedBytes: z.number().nonnegative().nullable(),
  /** The smallest memory first; none for the embedded model, and where nothing is foretold. */
  presets: z.array(
    z.object({
      /** Bytes of the device. */
      memory: z.number().positive(),
      /** That of this machine's own device, and not one that somebody may have. */
      isHere: z.boolean(),
      /** Of the form; null: nothing fits. */
      settings: z.record(z.string(), SettingValue).nullable(),
      /** Bytes that it takes with them; of the least that it could take where nothing fits. */
      takes: z.number().positive(),
    }),
  ),
})
export type Presets = z.infer<typeof Presets>

export const StageForms = z.object({ stages: z.array(StageForm) })
export type StageForms = z.infer<typeof StageForms>

/** What is to be done next with what the steps before it make: `compare` asks people. */
export const FollowingStep = z.strictObject({
  stage: z.enum([...formStages, 'compare']),
  /** Fields that are left out have the form's defaults, or name what the steps before it make. */
  settings: z.record(z.string().max(100), SettingValue).default({}),
})
export type FollowingStep = z.output<typeof FollowingStep>

export const NewJob = z.strictObject({
  stage: FormStage,
  /** Name of the run; made from the stage without it. */
  run: RunName.optional(),
  /** Fields that are left out have the form's defaults. */
  settings: z.record(z.string().max(100), SettingValue).default({}),
  /** A run of this stage whose settings hold for all fields that are left out, its seed and its prompts too. */
  like: RunName.optional(),
  /** What follows it in the queue, in this order; all of it is queued at once, or nothing. */
  then: z.array(FollowingStep).max(6).default([]),
})
export type NewJob = z.input<typeof NewJob>
export const Jobs = z.object({ /** Newest first. */ jobs: z.array(Job) })
export type Jobs = z.infer<typeof Jobs>

export const Metrics = z.object({
  /** Largest step there is; null before the first. Ask for `since=<this>` next time. */
  last: count.nullable(),
  /** Rows after `since`, at most 500, evenly thinned. */
  rows: z.array(z.record(z.string(), z.number())),
})
export type Metrics = z.infer<typeof Metrics>

export const JobLogQuery = z.object({
  /** Byte at which to begin: 0, or `next` of an earlier answer. */
  from: z.coerce.number().int().nonnegative().max(1e15).default(0),
  /** Only lines with this text, in any case. */
  find: z.string().min(1).max(200).optional(),
  /** `true`: only lines that tell of an error. */
  errors: z.enum(['true', 'false']).optional(),
  count: z.coerce.number().int().min(1).max(500).default(200),
})
export type JobLogQuery = z.input<typeof JobLogQuery>
export const JobLog = z.object({
  lines: z.array(z.object({ /** Byte at which it begins. */ at: count, text: z.string() })),
  /** Byte at which to go on; below `size` where there is more to look at. */
  next: count,
  /** Of the log, bytes. */
  size: count,
})
export type JobLog = z.infer<typeof JobLog>

export const Samples = z.object({
  steps: z.array(
    z.object({
      step: count,
      /** The image lies at `/api/jobs/<id>/samples/<step>/<index>`; equal indices are equal prompts and noise. */
      images: z.array(z.object({ index: count, prompt: z.string() })),
    }),
  ),
})
export type Samples = z.infer<typeof Samples>
