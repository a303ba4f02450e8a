/**
 * "Train" is two jobs: a reward from the answers, then DPOK on that reward, if it is shown to be better than chance and than
 * the CLIP score. The second can only be queued when the first is done; what is planned is kept in the browser, so that it
 * survives a reload.
 */
import type { State } from '../src/studio/schemas/state.ts'
import { client } from './api.ts'
import { readStored, writeStored } from './stored.ts'

const key = 'attune.then-dpok'

/** Starts a reward; DPOK follows while a page of the studio is open. */
export async function trainBoth(): Promise<void> {
  const job = await client.startJob({ stage: 'reward train' })
  writeStored(key, job.id)
}

/** DPOK on a reward, from the newest policy where there is one: rounds build on each other. */
export const trainPolicy = (reward: string, policy: string | undefined) =>
  client.startJob({ stage: 'policy dpok', settings: { reward, ...(policy !== undefined && { policy }) } })

/** The job on which DPOK waits. */
export const plannedAfter = (): string | null => readStored(key)
export const forgetPlan = (): void => void writeStored(key, null)

/** @returns whether DPOK was queued */
export async function goOnWithTraining(
  { jobs, rewards, policies }: Pick<State, 'jobs' | 'rewards' | 'policies'>,
  start: (reward: string, policy: string | undefined) => Promise<unknown> = trainPolicy,
): Promise<boolean> {
  const id = plannedAfter()
  const job = id === null ? undefined : jobs.find((one) => one.id === id)
  if (job === undefined || job.state === 'waiting' || job.state === 'running' || job.state === 'stopping') return false
  if (job.state !== 'done') {
    forgetPlan()
    return false
  }
  const reward = rewards.find(({ name }) => name === job.run)
  if (reward === undefined) return false
  // Taken away first: another tab that looks now finds nothing to begin.
  forgetPlan()
  // A policy that learns from chance draws worse than before. What is missing stands on the first page.
  if (reward.lack !== null) return false
  try {
    await start(job.run, policies[0]?.name)
    return true
  } catch {
    // The next sensible step, which the first page shows, is then to train the policy.
    return false
  }
}
