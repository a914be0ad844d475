using System.Net.Sockets;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// Lets a socket on an address stand beside one on the same port and no address. .NET's own option would also let another process share
/// the port (SO_REUSEPORT), and a second server that is started by mistake would not be told.
/// </summary>
internal static class PortableReuse
{
    private const int LinuxSocketLevel = 1;
    private const int LinuxReuseAddress = 2;
    private const int BsdSocketLevel = 0xffff;
    private const int BsdReuseAddress = 4;

    /// <summary>
    /// On the first of the two only once it is bound: it must find its port free. Windows needs nothing: a socket that did not ask for the
    /// port alone leaves addresses to others.
    /// </summary>
    public static void Allow(Socket socket)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        (int level, int name) = OperatingSystem.IsLinux() ? (LinuxSocketLevel, LinuxReuseAddress) : (BsdSocketLevel, BsdReuseAddress);
        socket.SetRawSocketOption(level, name, [1, 0, 0, 0]);
    }
}
