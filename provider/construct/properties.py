"""The properties of a distribution configuration, by the service model of EC2 Image Builder.

This file is generated (`make docs`). The descriptions of the properties are the API's own documentation.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NotRequired, TypedDict

from aws_cdk import IResolvable
from aws_cdk.aws_iam import IRole


class OrganizationalUnitSource(TypedDict):
    """An account source: an entry of a list of account IDs that the provider resolves at deployment."""

    organizational_unit: str
    """All active accounts in this organizational unit or root, and in the units beneath it."""
    except_: NotRequired[Sequence[str] | IResolvable]
    """Accounts to leave out of this source.

    Size: at least 1 entry.
    """


class ParameterSource(TypedDict):
    """An account source: an entry of a list of account IDs that the provider resolves at deployment."""

    parameter: str
    """The accounts in this SSM parameter, which is a StringList, or a String with commas between the account IDs. It
    is in the provider's account and Region.

    Size: 1 to 2048 characters.
    """


class LaunchPermissionConfiguration(TypedDict):
    """Launch permissions can be used to configure which Amazon Web Services accounts can use the AMI to launch
    instances.
    """

    user_ids: NotRequired[Sequence[str | OrganizationalUnitSource | ParameterSource] | IResolvable]
    """The Amazon Web Services account IDs to grant launch permission to. Each listed account can use the distributed
    AMI to launch instances.

    Size: 1 to 1536 entries.
    """
    user_groups: NotRequired[Sequence[str] | IResolvable]
    """The name of the group that you want to grant launch permission to. The only supported value is all, which makes
    the distributed AMI public.
    """
    organization_arns: NotRequired[Sequence[str] | IResolvable]
    """The ARN for an Amazon Web Services Organization that you want to share your AMI with. For more information, see
    What is Organizations?.

    Size: 1 to 25 entries.
    """
    organizational_unit_arns: NotRequired[Sequence[str] | IResolvable]
    """The ARN for an Organizations organizational unit (OU) that you want to share your AMI with. For more information
    about key concepts for Organizations, see Organizations terminology and concepts.

    Size: 1 to 25 entries.
    """


class AmiDistributionConfiguration(TypedDict):
    """The specific AMI settings; for example, launch permissions or AMI tags."""

    name: NotRequired[str]
    """The name of the output AMI. The name must include the {{ imagebuilder:buildDate }} dynamic tag so that each
    build produces a uniquely named AMI. If you don't specify a name, Image Builder names the output AMI with the
    image name followed by the build timestamp, for example my-image 2022-10-26T22-30-05.912619Z.

    Size: 1 to 127 characters.
    """
    description: NotRequired[str]
    """The description to apply to the distributed AMI. Image Builder sets this as the output AMI's description in each
    target Region and account. If you don't specify a description, the AMI in the build Region uses the image
    recipe's description, if the recipe has one. Copies distributed to other Regions and accounts don't receive a
    default description.

    Size: 1 to 1024 characters.
    """
    target_account_ids: NotRequired[Sequence[str | OrganizationalUnitSource | ParameterSource] | IResolvable]
    """The Amazon Web Services account IDs to distribute the AMI to in this Region. Each listed account receives its
    own copy of the output AMI. If you don't specify accounts, Image Builder distributes the AMI only to your own
    account.

    Size: 1 to 1536 entries.
    """
    ami_tags: NotRequired[Mapping[str, str] | IResolvable]
    """The tags to apply to AMIs distributed to this Region.

    Size: 1 to 50 entries.
    """
    kms_key_id: NotRequired[str]
    """The Amazon Resource Name (ARN) that uniquely identifies the KMS key used to encrypt the distributed image. This
    can be either the Key ARN or the Alias ARN. For more information, see Key identifiers (KeyId) in the Key
    Management Service Developer Guide.

    Size: 1 to 1024 characters.
    """
    launch_permission: NotRequired[LaunchPermissionConfiguration | IResolvable]
    """Launch permissions can be used to configure which Amazon Web Services accounts can use the AMI to launch
    instances.
    """


class ContainerRepositoryService(StrEnum):
    """Specifies the service in which this image was registered."""

    ECR = "ECR"


class TargetContainerRepository(TypedDict):
    """The destination repository for the container distribution configuration."""

    service: ContainerRepositoryService | str
    """Specifies the service in which this image was registered."""
    repository_name: str
    """The name of the container repository where the output container image is stored. Provide the repository name
    only (a namespace path such as team-a/my-repo is allowed, but not the registry hostname).

    Size: 1 to 1024 characters.
    """


class ContainerDistributionConfiguration(TypedDict):
    """Container distribution settings for encryption, licensing, and sharing in a specific Region."""

    description: NotRequired[str]
    """The description of the container distribution configuration.

    Size: 1 to 1024 characters.
    """
    container_tags: NotRequired[Sequence[str] | IResolvable]
    """Tags that Image Builder applies to the distributed container image in the target repository. These are
    repository image tags, not resource tags.
    """
    target_repository: TargetContainerRepository | IResolvable
    """The destination repository for the container distribution configuration."""


class LaunchTemplateConfiguration(TypedDict):
    """A group of launchTemplateConfiguration settings that apply to image distribution for specified accounts."""

    launch_template_id: str
    """Identifies the Amazon EC2 launch template to use."""
    account_id: NotRequired[str]
    """The account ID that this configuration applies to."""
    set_default_version: NotRequired[bool | IResolvable]
    """Specifies whether to make the new launch template version that Image Builder creates the default version of the
    launch template. If you don't set a value, Image Builder treats it as true.
    """


class DiskImageFormat(StrEnum):
    """Export the updated image to one of the following supported disk image formats:
    - Virtual Hard Disk (VHD) – Compatible with Citrix Xen and Microsoft Hyper-V virtualization products.
    - Stream-optimized ESX Virtual Machine Disk (VMDK) – Compatible with VMware ESX and VMware vSphere versions 4,
    5, and 6.
    - Raw – Raw format.
    """

    VMDK = "VMDK"
    RAW = "RAW"
    VHD = "VHD"


class S3ExportConfiguration(TypedDict):
    """Configure export settings to deliver disk images created from your image build, using a file format that is
    compatible with your VMs in that Region.
    """

    role_name: str
    """The name of the role that grants VM Import/Export permission to export images to your S3 bucket.

    Size: 1 to 1024 characters.
    """
    disk_image_format: DiskImageFormat | str
    """Export the updated image to one of the following supported disk image formats:
    - Virtual Hard Disk (VHD) – Compatible with Citrix Xen and Microsoft Hyper-V virtualization products.
    - Stream-optimized ESX Virtual Machine Disk (VMDK) – Compatible with VMware ESX and VMware vSphere versions 4,
    5, and 6.
    - Raw – Raw format.
    """
    s3_bucket: str
    """The S3 bucket in which to store the output disk images for your VM.

    Size: 1 to 1024 characters.
    """
    s3_prefix: NotRequired[str]
    """The Amazon S3 path for the bucket where the output disk images for your VM are stored.

    Size: 1 to 1024 characters.
    """


class FastLaunchSnapshotConfiguration(TypedDict):
    """Configuration settings for managing the number of snapshots that are created from pre-provisioned instances for
    the Windows AMI when Windows fast launch is enabled.
    """

    target_resource_count: NotRequired[int | float | IResolvable]
    """The number of pre-provisioned snapshots to keep on hand for a fast-launch enabled Windows AMI.

    Size: 1 to 10000.
    """


class FastLaunchLaunchTemplateSpecification(TypedDict):
    """The launch template that the fast-launch enabled Windows AMI uses when it launches Windows instances to create
    pre-provisioned snapshots.
    """

    launch_template_id: NotRequired[str]
    """The ID of the launch template to use for Windows fast launch for a Windows AMI."""
    launch_template_name: NotRequired[str]
    """The name of the launch template to use for Windows fast launch for a Windows AMI.

    Size: 1 to 1024 characters.
    """
    launch_template_version: NotRequired[str]
    """The version of the launch template to use for Windows fast launch for a Windows AMI.

    Size: 1 to 1024 characters.
    """


class FastLaunchConfiguration(TypedDict):
    """The Windows faster-launching configurations to use for AMI distribution."""

    enabled: bool | IResolvable
    """Specifies whether to enable Windows fast launch on the output AMI during distribution. A value of false means
    Image Builder takes no fast-launch action for this configuration.
    """
    snapshot_configuration: NotRequired[FastLaunchSnapshotConfiguration | IResolvable]
    """Configuration settings for managing the number of snapshots that are created from pre-provisioned instances for
    the Windows AMI when Windows fast launch is enabled.
    """
    max_parallel_launches: NotRequired[int | float | IResolvable]
    """The maximum number of parallel instances that are launched for creating resources.

    Size: at least 1.
    """
    launch_template: NotRequired[FastLaunchLaunchTemplateSpecification | IResolvable]
    """The launch template that the fast-launch enabled Windows AMI uses when it launches Windows instances to create
    pre-provisioned snapshots.
    """
    account_id: NotRequired[str]
    """The owner account ID for the fast-launch enabled Windows AMI."""


class SsmParameterDataType(StrEnum):
    """The type of value the parameter contains. We recommend the aws:ec2:image data type."""

    TEXT = "text"
    AWS_EC2_IMAGE = "aws:ec2:image"


class SsmParameterConfiguration(TypedDict):
    """Contains settings to update Amazon Web Services Systems Manager (SSM) Parameter Store Parameters with output AMI
    IDs from the build by target Region.
    """

    ami_account_id: NotRequired[str]
    """Specify the account that will own the Parameter in a given Region. During distribution, this account must be
    specified in distribution settings as a target account for the Region.
    """
    parameter_name: str
    """This is the name of the Parameter in the target Region or account. The image distribution creates the Parameter
    if it doesn't already exist. Otherwise, it updates the parameter.

    Size: 1 to 1011 characters.
    """
    data_type: NotRequired[SsmParameterDataType | str]
    """The type of value the parameter contains. We recommend the aws:ec2:image data type."""


class Distribution(TypedDict):
    """The distribution settings for the configuration. Each entry defines how output images are distributed in one
    target Amazon Web Services Region. A Region can appear at most once in the list.
    """

    region: str
    """The target Region.

    Size: 1 to 1024 characters.
    """
    ami_distribution_configuration: NotRequired[AmiDistributionConfiguration | IResolvable]
    """The specific AMI settings; for example, launch permissions or AMI tags."""
    container_distribution_configuration: NotRequired[ContainerDistributionConfiguration | IResolvable]
    """Container distribution settings for encryption, licensing, and sharing in a specific Region."""
    license_configuration_arns: NotRequired[Sequence[str] | IResolvable]
    """The License Manager Configuration to associate with the AMI in the specified Region.

    Size: 1 to 50 entries.
    """
    launch_template_configurations: NotRequired[Sequence[LaunchTemplateConfiguration | IResolvable] | IResolvable]
    """A group of launchTemplateConfiguration settings that apply to image distribution for specified accounts.

    Size: 1 to 100 entries.
    """
    s3_export_configuration: NotRequired[S3ExportConfiguration | IResolvable]
    """Configure export settings to deliver disk images created from your image build, using a file format that is
    compatible with your VMs in that Region.
    """
    fast_launch_configurations: NotRequired[Sequence[FastLaunchConfiguration | IResolvable] | IResolvable]
    """The Windows faster-launching configurations to use for AMI distribution.

    Size: 1 to 1000 entries.
    """
    ssm_parameter_configurations: NotRequired[Sequence[SsmParameterConfiguration | IResolvable] | IResolvable]
    """Contains settings to update Amazon Web Services Systems Manager (SSM) Parameter Store Parameters with output AMI
    IDs from the build by target Region.
    """


class OnDelete(StrEnum):
    """Whether the configuration is deleted or retained when the resource is deleted or replaced. By default, an owned
    configuration is deleted, and an adopted one is retained. A configuration that another resource owns is never
    deleted.
    """

    DELETE = "Delete"
    RETAIN = "Retain"


class DistributionConfigurationProperties(TypedDict):
    """All properties, as arguments of the construct."""

    adopt: NotRequired[str]
    """Adopts the existing configuration with this ARN: the resource replaces its content. If you change the ARN, the
    resource is replaced.
    """
    description: NotRequired[str]
    """The description of the distribution configuration.

    Size: 1 to 1024 characters.
    """
    distributions: Sequence[Distribution | IResolvable] | IResolvable
    """The distribution settings for the configuration. Each entry defines how output images are distributed in one
    target Amazon Web Services Region. A Region can appear at most once in the list.
    """
    name: NotRequired[str]
    """Owns a configuration with this name: the resource creates it. If you change the name, the resource is replaced.
    The name of the distribution configuration. Distribution configuration names must be unique to your account in
    each Amazon Web Services Region. Image Builder generates the distribution configuration ARN from a normalized
    form of the name, so names that differ only in case, spaces, or underscores count as the same name.
    """
    tags: NotRequired[Mapping[str, str] | IResolvable]
    """Tags of the configuration itself. An update removes the keys that you remove from the template, and keeps the
    keys that others set. The tags of the distribution configuration.

    Size: at most 50 entries.
    """
    on_delete: NotRequired[OnDelete | str]
    """Whether the configuration is deleted or retained when the resource is deleted or replaced. By default, an owned
    configuration is deleted, and an adopted one is retained. A configuration that another resource owns is never
    deleted.
    """
    region: NotRequired[str]
    """The Region of the configuration itself. By default, it is the Region of the stack. If you change the Region, the
    resource is replaced. An adopted configuration's Region is that of its ARN.
    """
    role: NotRequired[IRole | str]
    """The ARN of a role that the provider assumes for this resource, for a configuration in another account. The
    stack's ID is the external ID. If you specify a role of another account, the resource is replaced.

    Size: at most 2048 characters.
    """
    contributions: NotRequired[Sequence[str] | IResolvable]
    """The paths at which other stacks may contribute to this configuration, such as
    Distributions[].LaunchTemplateConfigurations. Without it, none may. Requires the provider's ledger.
    """


class DistributionContributionProperties(TypedDict):
    """All properties of a contribution, as arguments of its construct."""

    distribution_configuration_arn: str
    """The ARN of the configuration to which this resource contributes. If you change it, the resource is replaced."""
    description: NotRequired[str]
    """The description of the distribution configuration.

    Size: 1 to 1024 characters.
    """
    distributions: Sequence[Distribution | IResolvable] | IResolvable
    """The distribution settings for the configuration. Each entry defines how output images are distributed in one
    target Amazon Web Services Region. A Region can appear at most once in the list.
    """
    role_arn: NotRequired[IRole | str]
    """The ARN of a role that the provider assumes for this resource, for a configuration in another account. The
    stack's ID is the external ID. If you specify a role of another account, the resource is replaced.

    Size: at most 2048 characters.
    """
