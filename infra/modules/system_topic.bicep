// The lake's events. A storage account has one system topic at the most, and in its own region.
// https://learn.microsoft.com/azure/event-grid/system-topics
param name string
param location string
@description('The lake.')
param source string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  properties: {
    source: source
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}
