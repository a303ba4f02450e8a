/**
 * Deleting a run: its folder, its jobs and its prompts. The folder is renamed first, so that from one moment on there is no
 * such run, and removed then; what a process that was killed has left is finished when the studio opens. Links are
 * removed, and never followed.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { z } from 'zod'
import { RunInUseError, StudioError } from '../errors.ts'
import { noteGone } from '../feedback/store/image-writes.ts'
import { writing } from '../files.ts'
import { imageListName, readImageList } from '../images/image-run.ts'
import { configName } from '../run-folder.ts'
import { isAlive, lockName, readOwner } from '../run-lock.ts'
import { bytesOf } from './disk.ts'
import { isOpen } from './jobs/queue-order.ts'
import { jobsOfRun } from './jobs/job-record.ts'
import type { RunDeletion } from './schemas/run-table.ts'
import { readComparisons } from './server/comparison-files.ts'
import type { Studio } from './studio.ts'
import { playgroundRound } from './playground/playground-round.ts'
import { runNames, runNameOf, runPath, runsName, type Workspace } from './workspace.ts'
import { readJson, whatWorks } from './workspace-files.ts'

type Stored = Pick<Studio, 'workspace' | 'store' | 'rounds' | 'notes'>
type Parts = Stored & Pick<Studio, 'runs' | 'queue'>

const promptsOf = ({ at }: Workspace, name: string) => at('prompts', `${name}.jsonl`)

/** What would go, and what needs it. @throws {StudioError} there is no such run */
export async function deletionOf(studio: Parts, name: string): Promise<RunDeletion> {
  const { workspace, queue } = studio
  const folder = workspace.at(runsName, name)
  const jobs = queue.all().filter(({ run }) => run === name)
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined && jobs.length === 0) throw unknownRun()
  const places = [folder, promptsOf(workspace, name), ...jobs.map(({ id }) => workspace.at('jobs', id))]
  const sizes = await Promise.all(places.map(bytesOf))
  return {
    name,
    bytes: sizes.reduce((sum, one) => sum + one, 0),
    obstacle: obstacleTo(studio, name),
    children: await childrenOf(studio, name),
  }
}

/**
 * Deletes a run.
 *
 * @param agreed names of the children that somebody leaves without it
 * @returns bytes that became free
 * @throws {StudioError} there is none, something is at work on it, or it has children that were not named
 */
export async function deleteRun(studio: Parts, name: string, agreed: readonly string[]): Promise<number> {
  const { workspace, queue } = studio
  const { bytes, children } = await deletionOf(studio, name)
  const missed = children.filter((child) => !agreed.includes(child.name))
  if (missed.length > 0) {
    throw new StudioError(409, 'has-children', {
      where: name,
      expected: 'a yes to what is left without it',
      received: `none to ${missed.slice(0, 10).map((child) => `${child.name} (${child.what})`).join(', ')}`, // prettier-ignore
      remedy: 'name them as children, where they may be left without it, or archive it',
    })
  }
  // Nothing is waited for between this look and the renaming.
  const obstacle = obstacleTo(studio, name)
  if (obstacle !== null) {
    throw new RunInUseError({
      where: name,
      expected: 'a run that nothing is at work on',
      received: obstacle,
      remedy: 'wait until that has ended, or stop it',
    })
  }
  const trash = rename(workspace, name)
  queue.forget(name)
  await finish(studio, trash)
  return bytes
}

const trashName = /^\.deleted-[0-9a-f]{8}-(.+)$/

/** The place of a run that is being deleted, beside the others, so that it is renamed and not copied. */
function rename(workspace: Workspace, name: string): string {
  const { at } = workspace
  const trash = `.deleted-${randomUUID().slice(0, 8)}-${name}`
  writing(runPath(name), () => {
    if (lstatSync(at(runsName, name), { throwIfNoEntry: false }) === undefined) mkdirSync(at(runsName, trash))
    else renameSync(at(runsName, name), at(runsName, trash))
  })
  return trash
}

/** What is left to do once a run was renamed; may be done twice. */
async function finish(studio: Stored, trash: string): Promise<void> {
  const { workspace, notes } = studio
  const { at } = workspace
  const name = trashName.exec(trash)![1]
  notes.change(name, { archivedAt: null, deletedAt: new Date().toISOString() })
  await leaveImages(studio, name)
  for (const id of jobsOfRun(workspace, name)) {
    // Its record goes last: a folder without one is nobody's, and its number stays taken.
    const folder = at('jobs', id)
    const files = readdirSync(folder).filter((file) => file !== 'job.json')
    for (const file of [...files, 'job.json']) rmSync(join(folder, file), { recursive: true, force: true })
  }
  rmSync(promptsOf(workspace, name), { force: true })
  await rm(at(runsName, trash), { recursive: true, force: true })
}

/** Finishes what a process that was killed has begun to delete. @returns names of these runs */
export async function finishDeletions(studio: Stored): Promise<string[]> {
  const begun = readdirSync(studio.workspace.at(runsName)).filter((name) => trashName.test(name))
  for (const trash of begun) await finish(studio, trash)
  return begun.map((trash) => trashName.exec(trash)![1])
}

/** An image of the run that another round has drawn as well is found there from now on; of the others it is noted that they are gone. */
async function leaveImages(studio: Stored, name: string): Promise<void> {
  const { workspace, store, rounds } = studio
  const left = new Set((await imagesOf(studio, name)).map(({ id }) => id))
  for (const { name: other, images } of await rounds.all()) {
    const list = workspace.at(runsName, other, imageListName)
    if (other === name || !images.some((id) => left.has(id)) || !existsSync(list)) continue
    const [records = []] = whatWorks([{ name: other }], () => readImageList(list)).made
    const found = records.filter(({ id }) => left.has(id)).map((one) => ({ ...one, policy: runNameOf(one.policy) }))
    await store.addImages(found, workspace.at(runsName, other))
    for (const { id } of found) left.delete(id)
  }
  if (left.size > 0) await noteGone(store.database, [...left])
}

function obstacleTo({ workspace, queue }: Parts, name: string): string | null {
  const { folder, at } = workspace
  const inside = realpathSync(folder)
  if (!realpathSync(at(runsName)).startsWith(inside + sep)) {
    return 'The runs of this workspace lie outside of it, where nothing is deleted.'
  }
  if (name === playgroundRound) return 'The playground keeps its images there.'
  const open = queue.all().filter(isOpen)
  const own = open.find(({ run }) => run === name)
  if (own !== undefined) return `Its job ${own.id} is ${own.state}.`
  const user = open.find(({ needs }) => needs.includes(name))
  if (user !== undefined) return `${user.run}, which is ${user.state}, is made from it.`
  const writer = readOwner(at(runsName, name, lockName))
  return writer !== undefined && isAlive(writer) ? `Process ${writer.pid} on ${writer.host} writes it.` : null
}

const Config = z.record(z.string(), z.unknown())

async function childrenOf(studio: Parts, name: string): Promise<RunDeletion['children']> {
  const { workspace, queue, runs, store, rounds } = studio
  const children = new Map<string, RunDeletion['children'][number]>()
  const add = (child: string, what: string, judgments: number | null = null) => {
    if (child !== name && !children.has(child)) children.set(child, { name: child, what, judgments })
  }
  const isMeant = mentions(name)
  const finished = new Map(runs.all().map((run) => [run.name, run]))
  for (const run of runNames(workspace)) {
    const { manifest, config } = finished.get(run) ?? { config: configOf(workspace, run) }
    const { out: _out, ...settings } = config ?? {}
    if (isMeant(JSON.stringify([manifest?.parents, settings]))) add(run, manifest?.stage ?? 'an unfinished run')
  }
  for (const job of queue.all()) if (job.needs.includes(name)) add(job.run, `${job.stage}, ${job.state}`)
  for (const { id, policies, runs: of } of readComparisons(workspace)) {
    if (policies.includes(name)) add(id, 'a comparison of it')
    if (of.includes(name)) add(id, 'a comparison of its images')
  }
  for (const round of await rounds.all()) if (round.policy === name) add(round.name, 'images that it drew')
  const images = new Set((await imagesOf(studio, name)).map(({ id }) => id))
  const judged = (await store.judgments()).filter((one) => one.images.some((id) => images.has(id))).length
  if (judged > 0) add('judgments', `${judged} ${judged === 1 ? 'judgment' : 'judgments'} of its images`, judged)
  return [...children.values()]
}

/** Whether a text has the path of a run in it: `runs/dpok-1`, and not `runs/dpok-12`. */
function mentions(name: string): (text: string) => boolean {
  const path = runPath(name).replaceAll(/[.\\/-]/g, '\\$&')
  const pattern = new RegExp(`${path}(?![a-z0-9.-])`)
  return (text) => pattern.test(text)
}

function configOf(workspace: Workspace, run: string): Readonly<Record<string, unknown>> | undefined {
  const file = workspace.at(runsName, run, configName)
  if (!existsSync(file)) return undefined
  return whatWorks([{ name: run }], () => readJson(workspace, file, Config)).made[0]
}

/** The images whose files lie in a run. */
async function imagesOf({ store, workspace }: Stored, name: string) {
  const folder = workspace.at(runsName, name)
  return (await store.images()).filter((image) => image.folder === folder).map(({ record }) => record)
}

const unknownRun = () =>
  new StudioError(404, 'not-found', {
    where: 'run',
    expected: 'a run of this studio',
    received: 'an unknown name',
    remedy: 'choose one of the list',
  })
