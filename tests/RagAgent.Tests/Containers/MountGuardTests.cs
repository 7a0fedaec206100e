using RagAgent.Containers;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>Finds unmounted disks in the system's tables.</summary>
public class MountGuardTests
{
    private const string Fstab = """
        # /etc/fstab
        LABEL=cloudimg-rootfs /     ext4  discard,errors=remount-ro 0 1
        LABEL=data	/var/lib/ragstream/	ext4	defaults,nofail	0 2
        UUID=1-2 /mnt/with\040blank xfs nofail
        UUID=5-6 /home/app ext4 defaults 0 2
        UUID=3-4 /mnt/byhand ext4 noauto
        /swapfile none swap sw 0 0

        nonsense
        """;

    private const string Root = "22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n";

    [Theory]
    [InlineData("/var/lib/ragstream/chroma_db", "/var/lib/ragstream")]
    [InlineData("/var/lib/ragstream", "/var/lib/ragstream")]
    [InlineData("/mnt/with blank/x", "/mnt/with blank")]
    [InlineData("/var/lib/ragstream-other", null)]
    [InlineData("/mnt/byhand/x", null)]
    [InlineData("/home/app/data", null)]   // hidden from the service
    [InlineData("/srv/x", null)]
    public void An_unmounted_disk_in_fstab_is_reported_for_its_folder(string folder, string? mountPoint) => Assert.Equal(
        mountPoint is null ? null : $"The folder {folder} is on a disk that is not mounted: /etc/fstab lists it at {mountPoint}.",
        MountGuard.FindUnmounted([folder], Fstab, Root)?.What);

    [Theory]
    [InlineData("/var/lib/ragstream/chroma_db", "40 22 259:5 / /var/lib/ragstream rw,relatime shared:20 - ext4 /dev/nvme1n1 rw")]
    [InlineData("/mnt/with blank/x", "41 22 259:6 / /mnt/with\\040blank rw shared:21 - xfs /dev/nvme2n1 rw")]
    public void A_folder_on_a_mounted_disk_has_no_problem(string folder, string line) =>
        Assert.Null(
            MountGuard.FindUnmounted([folder], "UUID=1 /var/lib/ragstream ext4\nUUID=2 /mnt/with\\040blank xfs\n", Root + line + "\n"));

    [Fact]
    public void Empty_tables_report_no_problem() => Assert.Null(MountGuard.FindUnmounted(["/var/lib/ragstream"], "", ""));
}
