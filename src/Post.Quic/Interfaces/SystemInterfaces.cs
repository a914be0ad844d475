using Post.Sockets.Transport;

namespace Post.Quic.Interfaces;

/// <summary>The interfaces of this machine, watched once for the whole process, from when the first association asks.</summary>
internal static class SystemInterfaces
{
    private static readonly Lazy<InterfaceWatcher> Watcher = new(static () => Create());

    public static InterfaceWatcher Shared => Watcher.Value;

    /// <summary>Watches the network namespace of the calling thread.</summary>
    public static MachineInterfaces Create()
    {
        if (OperatingSystem.IsLinux() && LinuxInterfaces.TryOpen() is { } linux)
        {
            return linux;
        }

        return new PortableInterfaces();
    }
}
