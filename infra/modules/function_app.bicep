// The app on Flex Consumption. https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to
import { resourceTags } from 'types.bicep'

param name string
param planName string
param location string
param tags resourceTags
param identityId string
param packageContainerUrl string
param pythonVersion string
@secure()
@description('The app settings, texts by name.')
param settings { *: string }
@description('The subnet that the app reaches others from; empty for none.')
param subnetId string

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // By default references to a vault are read with an identity that this app does not have.
    // https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: 40
        // Durable Functions on Azure Storage look for work themselves; one instance that is there does it at once.
        alwaysReady: [{ name: 'durable', instanceCount: 1 }]
        // The HTTP functions wait for others most of the time. An app in Python has 1 by default: a dashboard's requests
        // would start an instance each.
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      appSettings: [for setting in items(settings): { name: setting.key, value: setting.value }]
    }
  }

  // Publishing is by Entra ID alone.
  resource noPasswordForFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noPasswordForScm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output url string = 'https://${app.properties.defaultHostName}'
