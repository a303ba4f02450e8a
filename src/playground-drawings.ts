/** What a process executes that draws for the playground of a studio. It opens models by name, so it stands beside the command line. */
import { open } from './open.ts'
import { serveDrawings } from './studio/playground/serve-drawings.ts'

serveDrawings(open)
