# Builds two AMIs with a released RagAgent: Ubuntu 24.04 and Amazon Linux 2023. See docs/ami.md.
#
#   packer init packaging/ami
#   packer build -var package=dist/ragagent-VERSION-linux-x64.tar.gz packaging/ami
#
# scripts/lint.sh may use an old Packer. It then skips the lines that end in "newer".

variable "package" {
  type        = string
  description = "A released ragagent-VERSION-linux-x64.tar.gz, with its .sha256 file next to it."
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "instance_type" {
  type        = string
  default     = "t3.small"
  description = "For building the image. Instances can have another type."
}

variable "root_size" {
  type        = number
  default     = 30
  description = "Size of the root disk in GiB. It must hold the system and two images of the app."
}

locals {
  made = formatdate("YYYYMMDD-hhmm", timestamp())
}

source "amazon-ebs" "ubuntu" {
  ami_name                    = "ragagent-ubuntu-24.04-${local.made}"
  ami_description             = "RagAgent on Ubuntu 24.04"
  region                      = var.region
  instance_type               = var.instance_type
  ssh_username                = "ubuntu"
  temporary_key_pair_type     = "ed25519" # newer
  ssh_clear_authorized_keys   = true
  associate_public_ip_address = true
  encrypt_boot                = true
  imds_support                = "v2.0"             # newer
  metadata_options { http_tokens = "required" }    # newer
  temporary_security_group_source_public_ip = true # newer
  source_ami_filter {
    filters = {
      name                = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"
      virtualization-type = "hvm"
      root-device-type    = "ebs"
    }
    owners      = ["099720109477"] # Canonical
    most_recent = true
  }
  launch_block_device_mappings {
    device_name           = "/dev/sda1"
    volume_type           = "gp3"
    volume_size           = var.root_size
    iops                  = 3000
    throughput            = 125
    delete_on_termination = true
  }
  tags = { Name = "ragagent-ubuntu-24.04", base = "{{ .SourceAMIName }}" }
}

source "amazon-ebs" "amazon-linux" {
  ami_name                    = "ragagent-amazon-linux-2023-${local.made}"
  ami_description             = "RagAgent on Amazon Linux 2023"
  region                      = var.region
  instance_type               = var.instance_type
  ssh_username                = "ec2-user"
  temporary_key_pair_type     = "ed25519" # newer
  ssh_clear_authorized_keys   = true
  associate_public_ip_address = true
  encrypt_boot                = true
  imds_support                = "v2.0"             # newer
  metadata_options { http_tokens = "required" }    # newer
  temporary_security_group_source_public_ip = true # newer
  source_ami_filter {
    filters = {
      name                = "al2023-ami-2023.*-x86_64"
      virtualization-type = "hvm"
      root-device-type    = "ebs"
    }
    owners      = ["137112412989"] # Amazon
    most_recent = true
  }
  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    volume_size           = var.root_size
    iops                  = 3000
    throughput            = 125
    delete_on_termination = true
  }
  tags = { Name = "ragagent-amazon-linux-2023", base = "{{ .SourceAMIName }}" }
}

build {
  sources = ["source.amazon-ebs.ubuntu", "source.amazon-ebs.amazon-linux"]

  # The first boot may still be installing updates.
  provisioner "shell" {
    inline = ["cloud-init status --wait >/dev/null || true", "mkdir -p ~/bake"]
  }
  provisioner "file" {
    sources     = [var.package, "${var.package}.sha256"]
    destination = "bake/"
  }
  provisioner "shell" {
    inline = [
      "cd ~/bake && sha256sum --check --quiet *.sha256",
      "tar --extract --gzip --strip-components=1 --file ragagent-*.tar.gz",
      "sudo ./provision.sh --no-start",
      "sudo install -m 755 clean.sh /usr/share/ragagent/clean.sh && cd ~ && rm -rf ~/bake",
    ]
  }
  # The last step, because it removes the SSH key: no later step could connect.
  provisioner "shell" {
    inline     = ["sudo sh -c '/usr/share/ragagent/clean.sh --bake && /usr/share/ragagent/clean.sh --check'"]
    skip_clean = true
  }
}
