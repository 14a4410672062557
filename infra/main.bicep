// Everything that a deployment of d2c needs on Azure, in one resource group. `azd up` takes the parameters from
// main.bicepparam.
targetScope = 'subscription'

@description('Becomes part of all names; azd knows the deployment by it.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('The region of everything that is created.')
param location string

@description('The resource group; rg-<environment> if empty. An existing Cosmos DB account must be in it.')
param resourceGroupName string = ''

@description('False if the resource group is there already.')
param createResourceGroup bool = true

@description('An existing Cosmos DB account in the resource group; one is created if empty.')
param existingCosmosAccount string = ''

@description('An existing Databricks workspace in the resource group; one is created if empty.')
param existingDatabricksWorkspace string = ''

@description('The S3 bucket that DynamoDB exports to.')
param exportBucket string

@description('S3 in the region of the bucket.')
param s3ServiceUrl string = 'https://s3.amazonaws.com'

@description('The roles in AWS by account or account/region, as JSON (D2C_AWS_ROLES); without any, give the app keys.')
param awsRoles string = ''

@description('The App ID URI that tokens for AWS are made out to (D2C_AWS_TOKEN_AUDIENCE).')
param awsTokenAudience string = ''

@description('The AWS account of plans that name none, if the roles are of several (D2C_AWS_ACCOUNT).')
param awsAccount string = ''

@description('The AWS account of the export bucket, if it is not that of the tables (D2C_EXPORT_BUCKET_OWNER).')
param exportBucketOwner string = ''

@description('The id of the AWS access key that Data Factory reads S3 with, unless it gets credentials for each copy run.')
param awsAccessKeyId string = 'none'

@description('The object id of the service principal that Spark signs in with; empty if there is none yet.')
param sparkPrincipalId string = ''

@description('How Spark signs in to Cosmos DB.')
@allowed(['ServicePrincipal', 'ManagedIdentity'])
param sparkCosmosAuth string = 'ServicePrincipal'

@description('The cluster of load runs as JSON (D2C_CLUSTER); empty for the default one.')
param cluster string = ''

@description('Where Durable Functions keep their state.')
@allowed(['AzureStorage', 'azureManaged'])
param durableProvider string = 'AzureStorage'

@description('True to reach storage, vault and Cosmos DB from a virtual network only.')
param privateNetworking bool = false

@description('The Python version of the app.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.12'

var groupName = empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
var tags = { 'azd-env-name': environmentName, product: 'd2c' }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = if (createResourceGroup) {
  name: groupName
  location: location
  tags: tags
}

module resources 'resources.bicep' = {
  name: 'd2c-resources'
  scope: resourceGroup(groupName)
  dependsOn: [group]
  params: {
    location: location
    tags: tags
    token: toLower(uniqueString(subscription().id, groupName, environmentName))
    existingCosmosAccount: existingCosmosAccount
    existingDatabricksWorkspace: existingDatabricksWorkspace
    exportBucket: exportBucket
    s3ServiceUrl: s3ServiceUrl
    awsRoles: awsRoles
    awsTokenAudience: awsTokenAudience
    awsAccount: awsAccount
    exportBucketOwner: exportBucketOwner
    awsAccessKeyId: awsAccessKeyId
    sparkPrincipalId: sparkPrincipalId
    sparkCosmosAuth: sparkCosmosAuth
    cluster: cluster
    durableProvider: durableProvider
    privateNetworking: privateNetworking
    pythonVersion: pythonVersion
  }
}

// What d2c deploy reads: the app's own settings, and what Data Factory is to know of its surroundings.
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId
output AZURE_RESOURCE_GROUP string = groupName
output D2C_RESOURCE_GROUP string = groupName
output D2C_EXPORT_BUCKET string = exportBucket
output D2C_LAKE__blobServiceUri string = resources.outputs.lakeBlobUri
output D2C_LAKE__dfsServiceUri string = resources.outputs.lakeDfsUri
output D2C_LAKE_FILE_SYSTEM string = resources.outputs.fileSystem
output D2C_DATA_FACTORY string = resources.outputs.dataFactoryName
output D2C_COSMOS_ACCOUNT string = resources.outputs.cosmosAccountName
output D2C_COSMOS_ENDPOINT string = resources.outputs.cosmosEndpoint
output DATABRICKS_HOST string = resources.outputs.databricksHost
output D2C_DATABRICKS_RESOURCE_ID string = resources.outputs.databricksId
output D2C_NOTEBOOK_PATH string = resources.outputs.notebookPath
output D2C_WHEEL_PATH string = resources.outputs.wheelPath
output D2C_CLUSTER string = cluster
output D2C_AWS_ROLES string = awsRoles
output D2C_AWS_TOKEN_AUDIENCE string = awsTokenAudience
output D2C_AWS_ACCOUNT string = awsAccount
output D2C_EXPORT_BUCKET_OWNER string = exportBucketOwner
output D2C_AWS_ACCESS_KEY_ID string = awsAccessKeyId
output D2C_S3_SERVICE_URL string = s3ServiceUrl
output D2C_KEY_VAULT_URL string = resources.outputs.keyVaultUrl
// What the second step (events.bicep) and people need.
output D2C_LAKE_NAME string = resources.outputs.lakeName
output D2C_FUNCTION_APP string = resources.outputs.functionAppName
output D2C_URL string = resources.outputs.functionAppUrl
output D2C_APP_CLIENT_ID string = resources.outputs.appClientId
output D2C_APP_PRINCIPAL_ID string = resources.outputs.appPrincipalId
