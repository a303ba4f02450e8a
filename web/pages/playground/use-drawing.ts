/** One drawing at a time, with its images as they come. Whoever leaves the page is not drawn for any longer. */
import { useEffect, useRef, useState } from 'react'
import { StudioError } from '../../../src/errors.ts'
import type { DrawEvent, Drawn, DrawRequest } from '../../../src/studio/schemas/playground.ts'
import { client } from '../../api.ts'

export interface Drawing {
  readonly request: DrawRequest
  readonly stage: 'waiting' | 'loading' | 'drawing' | 'done' | 'stopped'
  readonly ahead: number
  readonly share: number
  /** By {@link cellOf}. */
  readonly images: ReadonlyMap<string, DrawnCell>
  readonly durationMs: number | undefined
  readonly sampling: Extract<DrawEvent, { kind: 'done' }>['sampling'] | undefined
  readonly error: unknown
}

export interface DrawnCell extends Drawn {
  /** Of the drawing before, until something new has come in its place. */
  readonly isStale?: true
}

/** Where an image stands: the place of its policy, and its own among those of its policy. */
export const cellOf = (policy: number, index: number): string => `${policy} ${index}`

export function useDrawing() {
  const [drawing, setDrawing] = useState<Drawing>()
  const [isBusy, setBusy] = useState(false)
  const leaving = useRef<AbortController>(undefined)
  useEffect(() => () => leaving.current?.abort(), [])

  const draw = async (request: DrawRequest) => {
    leaving.current?.abort()
    const own = (leaving.current = new AbortController())
    const change = (of: (now: Drawing) => Partial<Drawing>) => {
      if (leaving.current === own) setDrawing((now) => now && { ...now, ...of(now) })
    }
    setDrawing((before) => ({
      request,
      stage: 'waiting',
      ahead: 0,
      share: 0,
      images: staleOf(before, request),
      durationMs: undefined,
      sampling: undefined,
      error: undefined,
    }))
    setBusy(true)
    try {
      for await (const event of client.draw(request, own.signal)) change(changeOf(event))
      change(({ stage, images }) => ({ images: freshOf(images), ...(stage !== 'done' && { stage: 'stopped' }) }))
    } catch (error) {
      change(({ images }) => ({
        stage: 'stopped',
        images: freshOf(images),
        ...(!own.signal.aborted && { error }),
      }))
    } finally {
      if (leaving.current === own) setBusy(false)
    }
  }
  const stop = () => {
    leaving.current?.abort()
    setDrawing((now) => now && { ...now, stage: 'stopped', images: freshOf(now.images) })
    setBusy(false)
  }
  /** The studio has these now, or not any more. */
  const kept = (ids: readonly string[], isKept: boolean) =>
    setDrawing((now) => {
      if (now === undefined) return now
      const changed = (one: DrawnCell): DrawnCell =>
        ids.includes(one.image.id) && one.kept !== 'there' ? { ...one, kept: isKept ? 'kept' : 'no' } : one
      const images = [...now.images].map(([cell, one]) => [cell, changed(one)] as const)
      return { ...now, images: new Map(images) }
    })
  return { drawing, isBusy, draw, stop, kept }
}

/** What was drawn before stays in its place where the same policies draw the same prompt. */
function staleOf(before: Drawing | undefined, { prompt, policies, images }: DrawRequest): Drawing['images'] {
  const namesOf = (all: DrawRequest['policies']) => JSON.stringify(all.map(({ policy }) => policy))
  const isSame =
    before?.request.prompt === prompt &&
    before.request.images === images &&
    namesOf(before.request.policies) === namesOf(policies)
  return new Map(isSame ? [...before.images].map(([cell, one]) => [cell, { ...one, isStale: true }]) : [])
}

const freshOf = (images: Drawing['images']): Drawing['images'] =>
  new Map([...images].filter(([, one]) => one.isStale !== true))

function changeOf(event: DrawEvent): (now: Drawing) => Partial<Drawing> {
  switch (event.kind) {
    case 'waiting':
      return () => ({ ahead: event.ahead })
    case 'loading':
      return () => ({ stage: 'loading' })
    case 'progress':
      return () => ({ stage: 'drawing', share: event.share })
    case 'image': {
      const { drawn } = event
      return ({ images }) => ({
        stage: 'drawing',
        images: new Map(images).set(cellOf(drawn.policy, drawn.index), drawn),
      })
    }
    case 'done':
      return () => ({ stage: 'done', share: 1, durationMs: event.durationMs, sampling: event.sampling })
    case 'failed':
      return () => ({ stage: 'stopped', error: new StudioError(500, event.error.code, event.error) })
  }
}
