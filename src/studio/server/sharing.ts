/**
 * Links for people without an account: each opens one page that can do nothing, and no other address. The token stands in the
 * path, since the page runs no script that could take it from behind a #; who logs addresses in front of the studio logs it.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { StudioError } from '../../errors.ts'
import {
  addSharedLink,
  findSharedLink,
  readSharedLinks,
  removeSharedLink,
  type SharedLink,
} from '../../feedback/raters/shared-links.ts'
import { Done } from '../schemas/accounts.ts'
import { NewShare, ShareLink, Shares } from '../schemas/sharing.ts'
import type { Studio } from '../studio.ts'
import { hashOf } from './access.ts'
import { findComparison } from './compare.ts'
import { notFound, refuse } from './failures.ts'
import { outcomePage } from './outcome-page.ts'
import { reportFile } from './reports.ts'
import { fileRoute, jsonRoute } from './route.ts'
import { standingPage } from './security.ts'

/** @throws {StudioError} there is none of this name */
const pages: Readonly<Record<SharedLink['kind'], (studio: Studio, name: string) => Promise<string | Uint8Array>>> = {
  report: (studio, name) => Promise.resolve(reportFile(studio, name)),
  comparison: (studio, name) => outcomePage(studio, findComparison(studio, name)),
}

/** Whoever opens it need not know what a studio is. */
const showsNothing = () =>
  refuse(404, 'not-found', {
    where: 'link',
    expected: 'a link that shows something',
    received: 'one that was withdrawn, whose report is gone, or of which a part is missing',
    remedy: 'ask whoever sent it to you for another one',
  })

export const sharingRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/shares',
    summary: 'Links that show a report or an outcome to whoever has them.',
    who: 'admin',
    answer: Shares,
    handle: async ({ studio }) => ({ shares: await readSharedLinks(studio.store.database) }),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/shares',
    summary: 'Make such a link; it is told once.',
    who: 'admin',
    body: NewShare,
    answer: ShareLink,
    handle: async ({ studio, rater, origin, body: { kind, name } }) => {
      await pages[kind](studio, name)
      const token = randomBytes(32).toString('base64url')
      const share = { id: randomUUID(), kind, name, createdBy: rater, createdAt: new Date().toISOString() }
      await addSharedLink(studio.store.database, { ...share, tokenHash: hashOf(token) })
      return { share, link: `${studio.publicUrl ?? origin}/shared/${token}` }
    },
  }),
  jsonRoute({
    method: 'delete',
    path: '/api/shares/:id',
    summary: 'Withdraw a link: it shows nothing any more.',
    who: 'admin',
    params: z.object({ id: z.uuid() }),
    answer: Done,
    handle: async ({ studio, params: { id } }) => {
      if (!(await removeSharedLink(studio.store.database, id))) throw notFound('link')
      return { done: true as const }
    },
  }),
  fileRoute({
    method: 'get',
    path: '/shared/:token',
    summary: 'What a link shows.',
    who: 'open',
    perMinute: 60,
    params: z.object({ token: z.string() }),
    answer: 'text/html',
    handle: async ({ studio, params: { token } }) => {
      const link = await findSharedLink(studio.store.database, hashOf(token))
      if (link === undefined) throw showsNothing()
      try {
        return standingPage(await pages[link.kind](studio, link.name))
      } catch (error) {
        if (error instanceof StudioError && error.status === 404) throw showsNothing()
        throw error
      }
    },
  }),
  fileRoute({
    method: 'get',
    path: '/outcomes/:id',
    summary: 'The outcome of a comparison as one page.',
    who: 'admin',
    params: z.object({ id: NewShare.shape.name }),
    answer: 'text/html',
    handle: async ({ studio, params: { id } }) => standingPage(await pages.comparison(studio, id)),
  }),
]
