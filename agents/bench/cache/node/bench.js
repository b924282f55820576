// Asks the document's CacheManager as fast as one process can. REDIS_ADDRESSES
// names the cluster's nodes and values.json has the values by key. Each line of
// standard input is one task, and its count goes to standard output:
//
//   {"do": "fill"}                                            every value into both tiers
//   {"do": "local", "inFlight": 1, "milliseconds": 2000}      hits of the local tier
//   {"do": "kept", "inFlight": 1, "milliseconds": 2000}       the same, each key made once
//   {"do": "redis", "inFlight": 64, "milliseconds": 2000}     hits of Redis
//   {"do": "misses", "inFlight": 1000, "milliseconds": 1}     loads, when all want one key
const CacheManager = require('./cachemanager.js');
const values = require('./values.json');
const ids = Object.keys(values);

const cache = new CacheManager(process.env.REDIS_ADDRESSES.split(',').map((address) => {
  const [host, port] = address.split(':');
  return { host, port: Number(port) };
}));

// V8 looks up a string faster when it has done so before than one that was just
// made. A service has its keys from requests, so local makes them, by the
// document's own method; kept does not.
const kept = ids.map((id) => `nutrition:plan:${id}`);

// How each task reads the nth value, and how many answers come between two looks
// at the clock.
const reads = {
  local: { get: (n) => cache.getNutritionData(ids[n]), batch: 64 },
  kept: { get: (n) => cache.get(kept[n], 'nutritionData'), batch: 64 },
  redis: { get: (n) => cache.get(`session:${ids[n]}`, 'userSession'), batch: 1 }
};

async function fill() {
  for (const id of ids) {
    await cache.cacheNutritionData(id, values[id]);
    await cache.set(`session:${id}`, values[id], 'userSession');
  }
  return ids.length;
}

async function hits({ get, batch }, inFlight, milliseconds) {
  const end = performance.now() + milliseconds;
  const ask = async (_, worker) => {
    let count = 0;
    while (performance.now() < end) {
      for (let i = 0; i < batch; i++) {
        if (await get((worker * 97 + count) % ids.length) === null) {
          throw new Error('a miss');
        }
        count++;
      }
    }
    return count;
  };
  const counts = await Promise.all(Array.from({ length: inFlight }, ask));
  return counts.reduce((sum, count) => sum + count);
}

// misses uses the CacheManager as its methods allow: ask, load, set.
async function misses(inFlight, milliseconds) {
  let loads = 0;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    if (await cache.get('seed:missing', 'nutritionData') === null) {
      loads++;
      await new Promise((loaded) => setTimeout(loaded, milliseconds));
      await cache.set('seed:missing', values[ids[0]], 'nutritionData');
    }
  }));
  await cache.invalidate('seed:missing', 'nutritionData');
  return loads;
}

const tasks = {
  fill,
  local: ({ inFlight, milliseconds }) => hits(reads.local, inFlight, milliseconds),
  kept: ({ inFlight, milliseconds }) => hits(reads.kept, inFlight, milliseconds),
  redis: ({ inFlight, milliseconds }) => hits(reads.redis, inFlight, milliseconds),
  misses: ({ inFlight, milliseconds }) => misses(inFlight, milliseconds)
};

async function main() {
  for await (const line of require('readline').createInterface({ input: process.stdin })) {
    const task = JSON.parse(line);
    console.log(await tasks[task.do](task));
  }
  cache.localCache.close();
  cache.redisCluster.disconnect();
}

main();
