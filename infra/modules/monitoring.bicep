// Logs and telemetry. Telemetry is taken from identities only: the connection string alone opens nothing.
import { resourceTags } from 'types.bicep'

param name string
param workspaceName string
param location string
param tags resourceTags
param appId string
param appPrincipalId string

var metricsPublisher = loadJsonContent('../roles.json').builtIn.monitoringMetricsPublisher.id

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 90
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource appPublishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appId, metricsPublisher)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}

// The queries of docs/operate/operations.md.
resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insights.id, 'd2c')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'd2c migrations'
    category: 'workbook'
    sourceId: insights.id
    serializedData: loadTextContent('../workbook.json')
  }
}

output connectionString string = insights.properties.ConnectionString
