// Measures the hits per second of the design document's CacheManager in one
// process. Standard input has the values by key, REDIS_ADDRESSES the cluster's:
//
//   node bench.js MILLISECONDS READS_IN_FLIGHT
const CacheManager = require('./cachemanager.js');
const values = JSON.parse(require('fs').readFileSync(0));
const ids = Object.keys(values);
const [milliseconds, inFlight] = process.argv.slice(2).map(Number);

const cache = new CacheManager(process.env.REDIS_ADDRESSES.split(',').map((address) => {
  const [host, port] = address.split(':');
  return { host, port: Number(port) };
}));

// hits reads the clock after every batch of answers.
async function hits(get, workers, batch) {
  const start = performance.now();
  const read = async (_, worker) => {
    let count = 0;
    while (performance.now() - start < milliseconds) {
      for (let i = 0; i < batch; i++) {
        if (await get(ids[(worker * 97 + count) % ids.length]) === null) {
          throw new Error('a value is not in the cache');
        }
        count++;
      }
    }
    return count;
  };
  const counts = await Promise.all(Array.from({ length: workers }, read));
  return counts.reduce((sum, count) => sum + count) / (performance.now() - start) * 1000;
}

async function main() {
  for (const id of ids) {
    await cache.cacheNutritionData(id, values[id]);
    await cache.set(`session:${id}`, values[id], 'userSession');
  }
  console.log(JSON.stringify({
    local: await hits((id) => cache.getNutritionData(id), 1, 64),
    redis: await hits((id) => cache.get(`session:${id}`, 'userSession'), inFlight, 1)
  }));
  cache.localCache.close();
  cache.redisCluster.disconnect();
}

main();
