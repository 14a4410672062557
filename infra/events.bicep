// The second step, after the app is deployed: its blob triggers learn of files from Event Grid alone on Flex
// Consumption, and the endpoint and its key exist only then. Files from before the subscription are not told.
// https://learn.microsoft.com/azure/azure-functions/functions-event-grid-blob-trigger
param lakeName string
param fileSystem string
param functionAppName string
@description('The system topic that the lake has already, in the same resource group; one is created if empty.')
param existingSystemTopic string = ''

var topicName = empty(existingSystemTopic) ? 'evgt-${lakeName}' : existingSystemTopic
var subscriptions = [
  { function: 'export_arrived', folder: 'exports/', ending: '/manifest-summary.json' }
  { function: 'plan_arrived', folder: 'plans/', ending: '.json' }
  { function: 'deliver_notification', folder: 'outbox/', ending: '.json' }
]

resource lake 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: lakeName
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: functionAppName
}

module createdTopic 'modules/system_topic.bicep' = if (empty(existingSystemTopic)) {
  name: 'd2c-system-topic'
  params: {
    name: topicName
    location: lake.location
    source: lake.id
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

// One after the other: a topic takes one change at a time.
@batchSize(1)
resource eventSubscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for each in subscriptions: {
    parent: topic
    name: replace(each.function, '_', '-')
    dependsOn: [createdTopic]
    properties: {
      eventDeliverySchema: 'EventGridSchema'
      destination: {
        endpointType: 'WebHook'
        properties: {
          // The key goes from the app to Event Grid within Azure Resource Manager; it is in no output and no log.
          endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.${each.function}&code=${listKeys('${app.id}/host/default', '2025-03-01').systemKeys.blobs_extension}'
        }
      }
      filter: {
        includedEventTypes: ['Microsoft.Storage.BlobCreated']
        subjectBeginsWith: '/blobServices/default/containers/${fileSystem}/blobs/${each.folder}'
        subjectEndsWith: each.ending
        // A file of a lake is announced when it is made, still empty, and when it is whole; only the latter counts.
        advancedFilters: [
          {
            operatorType: 'StringIn'
            key: 'data.api'
            values: ['FlushWithClose', 'PutBlob', 'PutBlockList', 'CopyBlob']
          }
        ]
      }
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    }
  }
]
