// What the templates hand each other.

@export()
@description('The tags of every resource.')
type resourceTags = { *: string }

@export()
@description('The global parameters of a data factory by name.')
type factoryParameters = { *: { type: 'String', value: string } }

@export()
@description('Storage redundancy. Zone redundancy is not to be had in every region.')
type redundancy = 'Standard_ZRS' | 'Standard_LRS' | 'Standard_GRS' | 'Standard_GZRS'

@export()
@description('A role that only this product has; roles.json lists them.')
type customRole = { name: string, description: string, actions: string[] }
