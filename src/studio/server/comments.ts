/** Comments on images: written, read by who wrote them and by admins, and taken back. */
import { z } from 'zod'
import { addComment, readComments, removeComment } from '../../feedback/comments.ts'
import { CommentChange, Comments, CommentsChanged, CommentsQuery, NewComment } from '../schemas/comments.ts'
import { jsonRoute } from './route.ts'

export const commentRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/comments',
    summary: 'What this rater, or for admins anybody, has said of an image in words.',
    who: 'rater',
    query: CommentsQuery,
    answer: Comments,
    handle: async ({ studio, rater, user, query: { image, from } }) => {
      const isAll = from === 'all' && user.role === 'admin'
      const found = await readComments(studio.store.database, { image, ...(!isAll && { rater }) })
      return { comments: found.map(({ image: _, ...comment }) => ({ ...comment, own: comment.rater === rater })) }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/comments',
    summary: 'Say something of an image; a repetition counts once.',
    who: 'rater',
    body: NewComment,
    answersIn: () => 1,
    answer: CommentsChanged,
    handle: async ({ studio, rater, body }) => ({
      changed: await addComment(studio.store.database, { ...body, rater, at: new Date().toISOString() }),
    }),
  }),
  jsonRoute({
    method: 'put',
    path: '/api/comments/:id',
    summary: 'Take back a comment of one’s own, or let it stand again.',
    who: 'rater',
    params: z.object({ id: z.uuid() }),
    body: CommentChange,
    answersIn: () => 1,
    answer: CommentsChanged,
    handle: async ({ studio, rater, params: { id }, body: { removed } }) => ({
      changed: await removeComment(studio.store.database, { rater, id }, removed),
    }),
  }),
]
