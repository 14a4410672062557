// The vault for the AWS secret access key that Data Factory reads S3 with where it gets no credentials for each run, and
// for secrets that app settings refer to.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
@description('True to bring back the vault that a deleted deployment has left behind.')
param recover bool
param appId string
param appPrincipalId string
param factoryId string
param factoryPrincipalId string
param privateNetworking bool

var secretsUser = loadJsonContent('../roles.json').builtIn.keyVaultSecretsUser.id

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    createMode: recover ? 'recover' : 'default'
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Data Factory is among the trusted services.
      bypass: 'AzureServices'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
    }
  }
}

resource factoryReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, factoryId, secretsUser)
  scope: vault
  properties: {
    principalId: factoryPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

// For app settings such as @Microsoft.KeyVault(VaultName=...;SecretName=...).
resource appReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appId, secretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

output url string = vault.properties.vaultUri
