/** A typed client of the studio. Every answer is checked with its schema; nothing of Node is used. */
import type { z } from 'zod'
import { StudioError } from '../errors.ts'
import {
  AdminActs,
  ApiKeys,
  Done,
  InvitationLink,
  Invitations,
  MadeApiKey,
  PasswordState,
  Session,
  type AdminActsQuery,
  type NewApiKey,
  type NewInvitation,
  type NewPassword,
  type NewSession,
  type PasswordSession,
  type RoleChange,
} from './schemas/accounts.ts'
import { Failure } from './schemas/basics.ts'
import {
  Comments,
  CommentsChanged,
  type CommentChange,
  type CommentsQuery,
  type NewComment,
} from './schemas/comments.ts'
import {
  ComparisonDetail,
  Comparisons,
  ComparisonSummary,
  OwnVotes,
  Votes,
  VoteTasks,
  type NewComparison,
  type NewVotes,
  type OwnVotesQuery,
  type VoteTasksQuery,
} from './schemas/comparing.ts'
import { Devices } from './schemas/devices.ts'
import { Disk } from './schemas/disk.ts'
import { Archived, GalleryDetail, GalleryPage, type ArchiveChange, type GalleryQuery } from './schemas/gallery.ts'
import {
  DrawEvent,
  KeptImages,
  PlaygroundDone,
  PlaygroundState,
  type DrawRequest,
  type KeepImages,
} from './schemas/playground.ts'
import { PromptCheck, PromptsOfFile, PromptWords } from './schemas/prompts.ts'
import {
  AddedLora,
  BroughtFile,
  Fetch,
  Models,
  Offer,
  type ModelChoice,
  type NewFetch,
  type PolicyForm,
  type Wanted,
} from './schemas/models.ts'
import {
  JobDetail,
  JobLog,
  Jobs,
  Metrics,
  Presets,
  Samples,
  StageForms,
  type JobLogQuery,
  type NewJob,
  type PresetsQuery,
} from './schemas/jobs.ts'
import {
  Added,
  AskedImages,
  AskingSettings,
  Gold,
  type Guidelines,
  OwnAnswers,
  ShownGuidelines,
  Tasks,
  type AskedImagesQuery,
  type GoldChange,
  type NewJudgments,
  type OwnAnswersQuery,
  type TasksQuery,
} from './schemas/labelling.ts'
import {
  Agreement,
  Decided,
  Disagreements,
  Flags,
  RaterHistory,
  Raters,
  ThirdOpinions,
  type DisagreementsQuery,
  type FlagsAsked,
  type FlagsDecision,
  type FlagsQuery,
  type RaterChange,
  type RaterHistoryQuery,
  type ThirdOpinionsAsked,
} from './schemas/raters.ts'
import { Lineage, Reports, RewardDetail, Rewards, Rounds, type NewRound } from './schemas/runs.ts'
import { ShareLink, Shares, type NewShare } from './schemas/sharing.ts'
import {
  DeletedRun,
  RunDeletion,
  RunMetrics,
  RunRow,
  RunRows,
  type DeleteRun,
  type RunChange,
} from './schemas/run-table.ts'
import { State } from './schemas/state.ts'
import { Imported, Uploaded, type ExportFormat, type ImportFormat } from './schemas/transfer.ts'

interface ClientOptions {
  /** Who judges, on a machine without login; asked anew for each request. */
  readonly rater?: () => string | null
  readonly fetch?: typeof globalThis.fetch
}

type Query = Readonly<Record<string, string | number | undefined>>
export type StudioClient = ReturnType<typeof createClient>

/**
 * @param base `''` in a page of the studio, else its address: `http://127.0.0.1:4870`
 * @throws {StudioError} from every method
 */
export function createClient(base = '', { rater = () => null, fetch = globalThis.fetch }: ClientOptions = {}) {
  const url = (path: string, query: Query = {}) => {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
    return `${base}${path}${search.size === 0 ? '' : `?${search}`}`
  }

  /** JSON bodies are objects; a `FormData` goes as it is. */
  async function send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response> {
    const name = rater()
    const isForm = body instanceof FormData
    try {
      return await fetch(path, {
        method,
        credentials: 'same-origin',
        ...(signal !== undefined && { signal }),
        headers: {
          accept: 'application/json',
          // A page of another site cannot set this header: the server asks for it wherever something changes.
          'x-attune': '1',
          ...(name !== null && { 'x-attune-rater': encodeURIComponent(name) }),
          ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
      })
    } catch (cause) {
      throw new StudioError(0, 'offline', {
        where: 'studio',
        expected: 'an answer',
        received: cause instanceof Error ? cause.message : 'nothing',
        remedy: 'check that the server runs, and try again',
        cause,
      })
    }
  }

  async function ask<S extends z.ZodType>(
    schema: S,
    method: string,
    path: string,
    body?: object,
  ): Promise<z.output<S>> {
    const answer = await send(method, path, body)
    if (!answer.ok) throw await refusalOf(answer, path)
    return checked(schema, await answer.json().catch(() => undefined), answer.status, path)
  }

  /** Events as they come, each a line of JSON. */
  async function* events<S extends z.ZodType>(
    schema: S,
    path: string,
    body: object,
    signal: AbortSignal,
  ): AsyncGenerator<z.output<S>> {
    const answer = await send('POST', path, body, signal)
    if (!answer.ok || answer.body === null) throw await refusalOf(answer, path)
    const reader = answer.body.getReader()
    const text = new TextDecoder()
    let rest = ''
    const leave = () => void reader.cancel().catch(() => undefined)
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    try {
      for (;;) {
        const { done, value } = await reader.read()
        const lines = (rest + text.decode(value, { stream: !done })).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) yield checked(schema, JSON.parse(line), answer.status, path)
        if (done) return
      }
    } finally {
      signal.removeEventListener('abort', leave)
      leave()
    }
  }

  const get = <S extends z.ZodType>(schema: S, path: string, query?: Query) => ask(schema, 'GET', url(path, query))
  const post = <S extends z.ZodType>(schema: S, path: string, body: object = {}) => ask(schema, 'POST', url(path), body)
  const part = encodeURIComponent

  return {
    /** Address of an image, in at most `size` pixels a side where one is given. */
    imageUrl: (id: string, size?: 64 | 128 | 256 | 512 | 1024) => url(`/images/${part(id)}`, { size }),
    sampleUrl: (job: string, step: number, index: number) => url(`/api/jobs/${part(job)}/samples/${step}/${index}`),
    /** Address of a download. */
    backupUrl: (weights: boolean) => url('/api/backup', { weights: String(weights) }),
    exportUrl: (format: ExportFormat, names = false) =>
      url('/api/export', { format, names: names ? 'true' : undefined }),

    state: () => get(State, '/api/state'),
    tasks: (query: TasksQuery) => get(Tasks, '/api/tasks', query as Query),
    judge: (body: NewJudgments) => post(Added, '/api/judgments', body),
    ownAnswers: (query: OwnAnswersQuery = {}) => get(OwnAnswers, '/api/judgments', query as Query),
    guidelines: () => get(ShownGuidelines, '/api/guidelines'),
    setGuidelines: (body: z.input<typeof Guidelines>) => ask(ShownGuidelines, 'PUT', url('/api/guidelines'), body),
    asking: () => get(AskingSettings, '/api/asking'),
    setAsking: (body: AskingSettings) => ask(AskingSettings, 'PUT', url('/api/asking'), body),
    images: (query: AskedImagesQuery = {}) => get(AskedImages, '/api/images', query as Query),
    gold: () => get(Gold, '/api/gold'),
    setGold: (image: string, body: GoldChange) => ask(Gold, 'PUT', url(`/api/gold/${part(image)}`), body),
    gallery: (query: GalleryQuery = {}) => get(GalleryPage, '/api/gallery', query as Query),
    galleryImage: (id: string) => get(GalleryDetail, `/api/gallery/${part(id)}`),
    archive: (body: ArchiveChange) => ask(Archived, 'PUT', url('/api/archive'), body),
    /** Address of a download. */
    galleryExportUrl: (images: readonly string[]) => url('/api/gallery/export', { images: images.join(',') }),
    playground: () => get(PlaygroundState, '/api/playground'),
    /** Draws; nobody who stops listening, or aborts, is drawn for any longer. */
    draw: (body: DrawRequest, signal: AbortSignal) => events(DrawEvent, url('/api/playground'), body, signal),
    keepDrawn: (body: KeepImages) => post(KeptImages, '/api/playground/keep', body),
    endPlayground: () => ask(PlaygroundDone, 'DELETE', url('/api/playground')),
    comments: (query: CommentsQuery) => get(Comments, '/api/comments', query as Query),
    comment: (body: NewComment) => post(CommentsChanged, '/api/comments', body),
    changeComment: (id: string, body: CommentChange) =>
      ask(CommentsChanged, 'PUT', url(`/api/comments/${part(id)}`), body),
    raters: () => get(Raters, '/api/raters'),
    changeRater: (name: string, body: RaterChange) => ask(Raters, 'PUT', url(`/api/raters/${part(name)}`), body),
    raterHistory: (name: string, query: RaterHistoryQuery = {}) =>
      get(RaterHistory, `/api/raters/${part(name)}/history`, query as Query),
    agreement: () => get(Agreement, '/api/agreement'),
    disagreements: (query: DisagreementsQuery = {}) => get(Disagreements, '/api/disagreements', query as Query),
    askThird: (body: ThirdOpinionsAsked) => post(ThirdOpinions, '/api/disagreements', body),

    flags: (query: FlagsQuery = {}) => get(Flags, '/api/flags', query as Query),
    decideFlags: (body: FlagsDecision) => ask(Decided, 'PUT', url('/api/flags'), body),
    askAgain: (body: FlagsAsked) => post(ThirdOpinions, '/api/flags', body),

    stages: () => get(StageForms, '/api/stages'),
    presets: (of: PresetsQuery) => get(Presets, '/api/presets', of as Query),
    startJob: (body: NewJob) => post(JobDetail, '/api/jobs', body),
    jobs: () => get(Jobs, '/api/jobs'),
    devices: () => get(Devices, '/api/devices'),
    disk: () => get(Disk, '/api/disk'),
    job: (id: string) => get(JobDetail, `/api/jobs/${part(id)}`),
    stopJob: (id: string) => post(JobDetail, `/api/jobs/${part(id)}/stop`),
    resumeJob: (id: string) => post(JobDetail, `/api/jobs/${part(id)}/resume`),
    sampleJob: (id: string) => post(JobDetail, `/api/jobs/${part(id)}/sample`),
    metrics: (id: string, since?: number) => get(Metrics, `/api/jobs/${part(id)}/metrics`, { since }),
    jobLog: (id: string, query: JobLogQuery = {}) => get(JobLog, `/api/jobs/${part(id)}/log`, query as Query),
    /** Address of a download. */
    jobLogUrl: (id: string) => url(`/api/jobs/${part(id)}/log/file`),
    samples: (id: string) => get(Samples, `/api/jobs/${part(id)}/samples`),

    runs: () => get(RunRows, '/api/runs'),
    changeRun: (name: string, body: RunChange) => ask(RunRow, 'PUT', url(`/api/runs/${part(name)}`), body),
    runDeletion: (name: string) => get(RunDeletion, `/api/runs/${part(name)}/deletion`),
    deleteRun: (name: string, body: DeleteRun = {}) => post(DeletedRun, `/api/runs/${part(name)}/delete`, body),
    runMetrics: (name: string) => get(RunMetrics, `/api/runs/${part(name)}/metrics`),

    rounds: () => get(Rounds, '/api/rounds'),
    checkPrompts: (prompts: readonly string[]) => post(PromptCheck, '/api/prompts/check', { prompts }),
    promptWords: () => get(PromptWords, '/api/prompts/words'),
    promptsOfFile: (file: File, column?: string) =>
      post(PromptsOfFile, '/api/prompts/file', formOf(column === undefined ? {} : { column }, 'file', [file])),
    drawRound: (body: NewRound = {}) => post(JobDetail, '/api/rounds', body),
    lineage: () => get(Lineage, '/api/lineage'),
    rewards: () => get(Rewards, '/api/rewards'),
    reward: (name: string) => get(RewardDetail, `/api/rewards/${part(name)}`),
    reports: () => get(Reports, '/api/reports'),
    models: () => get(Models, '/api/models'),
    chooseModel: (body: ModelChoice) => ask(Models, 'PUT', url('/api/models/chosen'), body),
    offer: (body: Wanted) => post(Offer, '/api/models/offer', body),
    fetchModel: (body: NewFetch) => post(Fetch, '/api/models/fetches', body),
    stopFetch: (model: string) => post(Fetch, '/api/models/fetches/stop', { model }),
    addCheckpoint: (file: File) => post(BroughtFile, '/api/models/files', formOf({}, 'file', [file])),
    removeCheckpoint: (name: string) => ask(Models, 'DELETE', url(`/api/models/files/${part(name)}`)),
    addLora: (file: File) => post(AddedLora, '/api/loras', formOf({}, 'file', [file])),
    removeLora: (name: string) => ask(Models, 'DELETE', url(`/api/loras/${part(name)}`)),
    /** Address of a download: a policy and its model card. */
    policyUrl: (name: string, form?: PolicyForm) => url(`/api/policies/${part(name)}/download`, { form }),

    comparisons: () => get(Comparisons, '/api/compare'),
    compare: (body: NewComparison) => post(ComparisonSummary, '/api/compare', body),
    comparison: (id: string) => get(ComparisonDetail, `/api/compare/${part(id)}`),
    openComparison: (id: string) => post(ComparisonDetail, `/api/compare/${part(id)}/open`),
    voteTasks: (id: string, query: VoteTasksQuery = {}) =>
      get(VoteTasks, `/api/compare/${part(id)}/tasks`, query as Query),
    ownVotes: (id: string, query: OwnVotesQuery = {}) =>
      get(OwnVotes, `/api/compare/${part(id)}/votes`, query as Query),
    shares: () => get(Shares, '/api/shares'),
    share: (body: NewShare) => post(ShareLink, '/api/shares', body),
    withdrawShare: (id: string) => ask(Done, 'DELETE', url(`/api/shares/${part(id)}`)),
    /** Addresses of pages that stand alone. */
    reportUrl: (name: string) => url(`/reports/${part(name)}`),
    outcomeUrl: (id: string) => url(`/outcomes/${part(id)}`),
    vote: (body: NewVotes) => post(Added, '/api/votes', body),
    votes: () => get(Votes, '/api/votes'),

    /** @param images the pictures that the file names by paths */
    import: (
      file: Blob,
      fields: { format: ImportFormat; rater?: string; name?: string },
      images: readonly File[] = [],
    ) => {
      const form = formOf({ format: fields.format, rater: fields.rater }, 'images', images)
      form.append('file', file, fields.name ?? (file instanceof File ? file.name : 'file'))
      return post(Imported, '/api/import', form)
    },
    upload: (files: readonly File[], prompts: readonly string[]) =>
      post(Uploaded, '/api/uploads', formOf({ prompts: JSON.stringify(prompts) }, 'files', files)),

    accept: (body: NewSession) => post(Session, '/api/sessions', body),
    signIn: (body: PasswordSession) => post(Session, '/api/sessions/password', body),
    keys: () => get(ApiKeys, '/api/keys'),
    makeKey: (body: NewApiKey) => post(MadeApiKey, '/api/keys', body),
    revokeKey: (id: string) => ask(Done, 'DELETE', url(`/api/keys/${part(id)}`)),
    adminActs: (query: AdminActsQuery = {}) => get(AdminActs, '/api/log', query as Query),
    /** Address of a download. */
    adminActsUrl: () => url('/api/log/export'),
    password: () => get(PasswordState, '/api/password'),
    setPassword: (body: NewPassword) => ask(Done, 'PUT', url('/api/password'), body),
    logout: () => ask(Done, 'DELETE', url('/api/sessions')),
    invitations: () => get(Invitations, '/api/invitations'),
    invite: (body: NewInvitation) => post(InvitationLink, '/api/invitations', body),
    changeRole: (name: string, body: RoleChange) => ask(Invitations, 'PUT', url(`/api/accounts/${part(name)}`), body),
    withdrawInvitation: (id: string) => ask(Done, 'DELETE', url(`/api/invitations/${part(id)}`)),
  }
}

async function refusalOf(answer: Response, path: string): Promise<StudioError> {
  const failure = Failure.safeParse(await answer.json().catch(() => undefined))
  return failure.success
    ? new StudioError(answer.status, failure.data.error.code, failure.data.error)
    : unexpected(answer.status, path, `status ${answer.status}`)
}

function checked<S extends z.ZodType>(schema: S, content: unknown, status: number, path: string): z.output<S> {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unexpected(status, `${path} ${issue.path.join('.')}`, issue.message)
}

function unexpected(status: number, where: string, received: string): StudioError {
  const remedy = 'reload the page; the server may be of another version'
  return new StudioError(status, 'answer', { where, expected: "the studio's answer", received, remedy })
}

function formOf(fields: Readonly<Record<string, string | undefined>>, name: string, files: readonly File[]): FormData {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) if (value !== undefined) form.append(field, value)
  for (const file of files) form.append(name, file, file.name)
  return form
}
