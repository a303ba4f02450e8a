import { useEffect, useRef, useState } from 'react'
import { client } from '../../api.ts'

export type MetricRow = Readonly<Record<string, number>>

const everyMs = 1000

/** The rows of a job's `metrics.jsonl`, those that are new asked for every second while it runs. */
export function useMetrics(job: string, isRunning: boolean, isMeasured: boolean): readonly MetricRow[] {
  const [rows, setRows] = useState<readonly MetricRow[]>([])
  const since = useRef<number>(undefined)
  useEffect(() => {
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const turn = async () => {
      try {
        const answer = await client.metrics(job, since.current)
        if (isOver) return
        // A resumed run begins again before the steps that it has lost.
        const first = answer.rows[0]?.step
        if (answer.rows.length > 0) setRows((before) => [...before.filter(({ step }) => step < first), ...answer.rows])
        if (answer.last !== null) since.current = answer.last
      } catch {
        // The frame of the page says that the studio is away; the curves wait.
      }
      if (!isOver && isRunning) timer = setTimeout(() => void turn(), everyMs)
    }
    if (isMeasured) void turn()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [job, isRunning, isMeasured])
  return rows
}
