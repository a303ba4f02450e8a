/** A step of a test: writes what it was given, or fails where it is told to. */
import { readFileSync, writeFileSync } from 'node:fs'

const given = JSON.parse(readFileSync(process.argv[3], 'utf8')) as { out: string; fails?: true }
if (given.fails) {
  process.stderr.write('told to fail\n')
  process.exitCode = 1
} else writeFileSync(given.out, JSON.stringify({ ...given, pid: process.pid }))
