import assert from 'node:assert/strict'
import { test } from 'node:test'
import { likelyFormat } from './formats.ts'

test('the format of a file is told by its ending and, where several have it, by how it begins', () => {
  for (const [file, start, format] of [
    ['a.csv', '', 'csv'],
    ['A.TSV', '', 'csv'],
    ['a.jsonl', '{"annotations": 1}', 'jsonl'],
    ['a.b.parquet', 'PAR1', 'pick-a-pic'],
    ['a.json', '[{"prompt": "a", "generations": []', 'image-reward'],
    ['a.json', '[{"image_path": "a.png"', 'image-reward'],
    ['a.json', '[{"image_path" : [', 'hpdv2'],
    ['a.json', '[{"prompt": "a", "path1": ', 'hpdv2'],
    ['a.json', '[{"annotations": [], "data": {"image_path": ["a.png"', 'label-studio'],
    ['a.json', ' [[1, 2], ', 'd3po'],
    ['a.json', '[-1, 0', 'd3po'],
    ['a.txt', '[1]', undefined],
    ['csv', '', undefined],
  ] as const) {
    assert.equal(likelyFormat(file, start), format, `${file} ${start}`)
  }
})
