/** Policies leave the studio as files that other programs read, with their model cards. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { addReport, addReward, addTrainedPolicy } from '../../publish/policy-run.test-helper.ts'
import { addRun, testStudio, type TestStudio } from '../studio.test-helper.ts'

/** Names and contents of an archive without compression. */
function entriesOf(zip: Buffer): Map<string, Buffer> {
  const entries = new Map<string, Buffer>()
  for (let at = 0; zip.readUInt32LE(at) === 0x04034b50;) {
    const [size, nameSize] = [zip.readUInt32LE(at + 18), zip.readUInt16LE(at + 26)]
    const from = at + 30 + nameSize
    entries.set(zip.toString('utf8', at + 30, from), zip.subarray(from, from + size))
    at = from + size
  }
  return entries
}

async function downloaded(it: TestStudio, url: string) {
  const answer = await it.app.request(url)
  assert.equal(answer.status, 200, await answer.clone().text())
  return {
    name: /filename="(.*)"/.exec(answer.headers.get('content-disposition')!)![1],
    entries: entriesOf(Buffer.from(await answer.arrayBuffer())),
  }
}

test('a policy comes as a LoRA of either form, or as it is, each time with its card', async () => {
  await using it = await testStudio()
  const { workspace } = it.studio
  addReward(workspace.at('runs', 'reward-1'))
  addTrainedPolicy(workspace.at('runs', 'dpok-1'), { reward: 'runs/reward-1', model: workspace.at('models', 'base') })
  addReport(workspace.at('runs', 'report-1'), 'runs/dpok-1')
  const { policies, reports } = await it.client.state()
  assert.deepEqual(
    policies.map(({ adapters }) => adapters),
    [true],
  )
  assert.deepEqual(
    reports[0].policies.map(({ run }) => run),
    [null, 'dpok-1'],
  )
  for (const [form, file, key] of [
    [undefined, 'pytorch_lora_weights.safetensors', 'lora_A.weight'],
    ['kohya', 'dpok-1.safetensors', 'lora_down.weight'],
  ] as const) {
    const { name, entries } = await downloaded(it, it.client.policyUrl('dpok-1', form))
    assert.equal(name, `dpok-1-${form ?? 'diffusers'}.zip`)
    assert.deepEqual([...entries.keys()].sort(), ['README.md', file].sort())
    assert.ok(entries.get(file)!.includes(key))
    const card = entries.get('README.md')!.toString()
    assert.match(card, /^---\n[\s\S]*60 labels of 2 raters[\s\S]*report `report-1`/)
    for (const text of [card, entries.get(file)!.toString('latin1')]) assert.ok(!text.includes(workspace.folder))
  }
  assert.deepEqual(readdirSync(workspace.at('uploads')), [])
})

test('what cannot be had is refused, and leaves nothing behind', async () => {
  await using it = await testStudio()
  addRun(it.studio, 'weights-1', 'policy dpok', {}, {}, { 'policy.safetensors': 'torn' })
  for (const [path, status] of [
    ['/api/policies/none/download', 404],
    ['/api/policies/..%2F..%2Fetc/download', 404],
    ['/api/policies/weights-1/download?form=exe', 400],
    ['/api/policies/weights-1/download?form=kohya', 409],
    // Its file is damaged: the complaint is that of the command line.
    ['/api/policies/weights-1/download', 400],
  ] as const) {
    const answer = await it.app.request(path)
    assert.equal(answer.status, status, `${path} ${await answer.text()}`)
  }
  assert.deepEqual(readdirSync(it.studio.workspace.at('uploads')), [])
})
