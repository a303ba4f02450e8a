/** The backup as a download: it is made while it is taken, so nothing of it waits on the disk. */
import { z } from 'zod'
import { isDatabaseUrl } from '../../feedback/store/database.ts'
import { backupPieces } from '../backup/write-backup.ts'
import { streamOf } from './downloads.ts'
import { fileRoute } from './route.ts'

export const backupRoutes = [
  fileRoute({
    method: 'get',
    path: '/api/backup',
    summary: 'All of the studio as one file, from which `attune studio restore` makes it anew.',
    who: 'admin',
    query: z.object({ weights: z.enum(['true', 'false']).default('false') }),
    answer: 'application/gzip',
    handle: ({ studio: { workspace, feedback }, query: { weights } }) => {
      const database = isDatabaseUrl(feedback) ? feedback : workspace.at(feedback)
      const pieces = backupPieces({ workspace, database, weights: weights === 'true' })
      const day = new Date().toISOString().slice(0, 10)
      return new Response(
        // Whoever leaves before the first piece has not begun to iterate.
        streamOf(pieces[Symbol.asyncIterator](), () => pieces.destroy()),
        {
          headers: {
            'content-type': 'application/gzip',
            'content-disposition': `attachment; filename="attune-backup-${day}.tar.gz"`,
          },
        },
      )
    },
  }),
]
