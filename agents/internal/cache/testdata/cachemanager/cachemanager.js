// The design document's CacheManager (Scaling-Performance-Optimization.md,
// "Application-Level Caching Configuration"), as it stands there. Each change
// that it needs to run is named with "Mended".

// Mended: the document uses NodeCache without requiring it.
const NodeCache = require('node-cache');

class CacheManager {
  // Mended: the nodes are given, because the document's are names inside its
  // own cluster.
  constructor(nodes) {
    // Mended: Cluster is a class and needs new.
    this.redisCluster = new (require('ioredis').Cluster)(nodes, {
      redisOptions: {
        password: process.env.REDIS_PASSWORD
      },
      enableReadyCheck: true,
      maxRetriesPerRequest: 3
    });

    this.localCache = new NodeCache({
      stdTTL: 300,     // 5 minutes default TTL
      checkperiod: 60, // Check for expired keys every minute
      useClones: false,
      maxKeys: 10000
    });

    this.setupCacheStrategies();
  }

  setupCacheStrategies() {
    this.strategies = {
      // User session cache - short TTL, high consistency
      userSession: {
        ttl: 1800,        // 30 minutes
        useLocal: false,   // Redis only for session consistency
        invalidateOn: ['logout', 'profile_update']
      },

      // Agent coordination cache - very short TTL, eventual consistency OK
      agentCoordination: {
        ttl: 60,          // 1 minute
        useLocal: true,   // Local cache for speed
        invalidateOn: ['agent_state_change', 'coordination_update']
      },

      // Nutrition data cache - longer TTL, can be stale
      nutritionData: {
        ttl: 3600,        // 1 hour
        useLocal: true,   // Local cache preferred
        invalidateOn: ['nutrition_db_update']
      },

      // Workout templates - very long TTL, rarely changes
      workoutTemplates: {
        ttl: 86400,       // 24 hours
        useLocal: true,   // Definitely local cache
        invalidateOn: ['workout_template_update']
      },

      // API response cache - medium TTL, varies by endpoint
      apiResponse: {
        ttl: 300,         // 5 minutes
        useLocal: false,  // Redis for consistency across instances
        invalidateOn: ['data_update']
      }
    };
  }

  async get(key, strategy = 'default') {
    const cacheStrategy = this.strategies[strategy] || this.strategies.apiResponse;
    
    // Try local cache first if enabled
    if (cacheStrategy.useLocal) {
      const localValue = this.localCache.get(key);
      if (localValue !== undefined) {
        return localValue;
      }
    }

    // Fallback to Redis
    try {
      const value = await this.redisCluster.get(key);
      if (value) {
        const parsed = JSON.parse(value);
        
        // Update local cache if strategy allows
        if (cacheStrategy.useLocal) {
          this.localCache.set(key, parsed, cacheStrategy.ttl);
        }
        
        return parsed;
      }
    } catch (error) {
      console.error('Redis cache error:', error);
      // Continue without cache on Redis failure
    }
    
    return null;
  }

  async set(key, value, strategy = 'default') {
    const cacheStrategy = this.strategies[strategy] || this.strategies.apiResponse;
    const serialized = JSON.stringify(value);
    
    // Set in Redis
    try {
      await this.redisCluster.setex(key, cacheStrategy.ttl, serialized);
    } catch (error) {
      console.error('Redis cache set error:', error);
    }
    
    // Set in local cache if enabled
    if (cacheStrategy.useLocal) {
      this.localCache.set(key, value, cacheStrategy.ttl);
    }
  }

  async invalidate(key, strategy = 'default') {
    // Remove from local cache
    this.localCache.del(key);
    
    // Remove from Redis
    try {
      await this.redisCluster.del(key);
    } catch (error) {
      console.error('Redis cache invalidation error:', error);
    }
  }

  // Agent-specific cache methods
  async cacheAgentCoordination(agentId, coordinationData) {
    const key = `agent:coordination:${agentId}`;
    await this.set(key, coordinationData, 'agentCoordination');
  }

  async getAgentCoordination(agentId) {
    const key = `agent:coordination:${agentId}`;
    return await this.get(key, 'agentCoordination');
  }

  async cacheNutritionData(userId, nutritionPlan) {
    const key = `nutrition:plan:${userId}`;
    await this.set(key, nutritionPlan, 'nutritionData');
  }

  async getNutritionData(userId) {
    const key = `nutrition:plan:${userId}`;
    return await this.get(key, 'nutritionData');
  }

  async cacheWorkoutTemplate(templateId, template) {
    const key = `workout:template:${templateId}`;
    await this.set(key, template, 'workoutTemplates');
  }

  async getWorkoutTemplate(templateId) {
    const key = `workout:template:${templateId}`;
    return await this.get(key, 'workoutTemplates');
  }
}

module.exports = CacheManager;
