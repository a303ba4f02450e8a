/**
 * Makes the images of a run known to a studio, as a round to be judged: `show-in-studio.ts WORKSPACE NAME`. The run lies in
 * WORKSPACE/runs/NAME, and no studio is open there.
 */
import { addRound } from '../src/feedback/queue/rounds.ts'
import { openFeedback } from '../src/feedback/store/store.ts'
import { imageListName, readImageList } from '../src/images/image-run.ts'
import { databaseName } from '../src/studio/open-studio.ts'
import { openWorkspace, runsName } from '../src/studio/workspace.ts'

const [folder, name] = process.argv.slice(2)
const { at } = openWorkspace(folder)
const store = await openFeedback(at(databaseName))
const records = readImageList(at(runsName, name, imageListName))
await store.addImages(records, at(runsName, name))
const images = records.map(({ id }) => id)
const createdAt = new Date().toISOString()
await addRound(store.database, { name, policy: 'pretrained', purpose: 'round', createdAt, images })
await store.close()
