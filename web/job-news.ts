/** What jobs have come to while nobody looked at the page: counted in its title, and told by the browser where it may. */
import { useEffect, useSyncExternalStore } from 'react'
import type { Job } from '../src/studio/schemas/jobs.ts'
import { client } from './api.ts'
import { go } from './router.ts'
import { texts } from './texts/texts.ts'

/** A page in the background is let to look about once a minute at the most by browsers. */
const everyMs = 5000
const ends = ['done', 'failed', 'stopped', 'held'] as const
const isEnd = (state: Job['state']): state is (typeof ends)[number] => (ends as readonly string[]).includes(state)

/** Of jobs that were on the way, those that are not any more. */
export const newsOf = <J extends Pick<Job, 'id' | 'state'>>(
  known: ReadonlyMap<string, Job['state']>,
  jobs: readonly J[],
): J[] =>
  jobs.filter(({ id, state }) => {
    const before = known.get(id)
    return before !== undefined && !isEnd(before) && isEnd(state)
  })

/** `(2) Train · Attune` */
export const counted = (title: string, count: number): string =>
  `${count === 0 ? '' : `(${count}) `}${title.replace(/^\(\d+\) /, '')}`

/** The icon of the tab: with a green dot as long as news were not seen, else with an amber one while something is on the way. */
export const iconOf = (news: number, isAtWork: boolean): string =>
  news > 0 ? '/favicon-news.svg' : isAtWork ? '/favicon-busy.svg' : '/favicon.svg'

function showIcon(address: string): void {
  const link = document.querySelector('link[rel="icon"]')
  if (link !== null && link.getAttribute('href') !== address) link.setAttribute('href', address)
}

/** @param jobs as the page knows them; while it is in the background, they are asked for */
export function useJobNews(jobs: readonly Job[]): void {
  const key = jobs.flatMap(({ id, state }) => (isEnd(state) ? [] : [id])).join()
  useEffect(() => {
    showIcon(iconOf(0, key !== ''))
    if (key === '') return
    let known: ReadonlyMap<string, Job['state']> = new Map(jobs.map(({ id, state }) => [id, state]))
    let count = 0
    const isAtWork = () => [...known.values()].some((state) => !isEnd(state))
    const look = async () => {
      if (!document.hidden) return
      const { jobs: now } = await client.state()
      const news = newsOf(known, now)
      known = new Map(now.map(({ id, state }) => [id, state]))
      count += news.length
      document.title = counted(document.title, count)
      showIcon(iconOf(count, isAtWork()))
      news.forEach(notify)
    }
    const timer = setInterval(() => void look().catch(() => undefined), everyMs)
    const seen = () => {
      if (document.hidden) return
      count = 0
      document.title = counted(document.title, 0)
      showIcon(iconOf(0, isAtWork()))
    }
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', seen)
    }
    // As long as the same jobs are on the way, it goes on with what it knows.
  }, [key])
}

function notify({ id, run, state, error }: Job): void {
  if (!('Notification' in globalThis) || Notification.permission !== 'granted') return
  if (!isEnd(state)) return
  const told = new Notification(texts().jobs.cameTo[state](run), {
    ...(error !== null && { body: error }),
    icon: '/favicon.svg',
    tag: id,
  })
  told.onclick = () => {
    focus()
    go('train', 'job', id)
    told.close()
  }
}

const listeners = new Set<() => void>()
const permission = () => ('Notification' in globalThis ? Notification.permission : 'unsupported')

/** Whether the browser tells of jobs: `default` where nobody has asked it to. */
export const useNotifying = (): NotificationPermission | 'unsupported' =>
  useSyncExternalStore((changed) => {
    listeners.add(changed)
    return () => listeners.delete(changed)
  }, permission)

export async function askToNotify(): Promise<void> {
  await Notification.requestPermission()
  for (const listener of listeners) listener()
}
