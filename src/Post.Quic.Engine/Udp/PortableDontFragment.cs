using System.Net.Sockets;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// Sets the don't-fragment bit where System.Net.Sockets only does so for IPv4: each system has its own option.
/// </summary>
internal static class PortableDontFragment
{
    private const int LevelIP = 0;
    private const int LevelIPv6 = 41;

    public static bool TrySet(Socket socket)
    {
        (int NameIPv4, int NameIPv6, int Value)? option =
            OperatingSystem.IsWindows() ? (14, 14, 1) // IP_DONTFRAGMENT, IPV6_DONTFRAG
            : OperatingSystem.IsLinux() ? (10, 23, 3) // IP_MTU_DISCOVER, IPV6_MTU_DISCOVER: probe
            : OperatingSystem.IsMacOS() ? (28, 62, 1) // IP_DONTFRAG, IPV6_DONTFRAG
            : null;
        if (option is not { } known)
        {
            return false;
        }

        try
        {
            ReadOnlySpan<byte> value = BitConverter.GetBytes(known.Value);
            bool isIPv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
            if (isIPv6)
            {
                socket.SetRawSocketOption(LevelIPv6, known.NameIPv6, value);
            }

            // macOS sets both through IPv6's option and refuses IPv4's on an IPv6 socket.
            if (!isIPv6 || (socket.DualMode && !OperatingSystem.IsMacOS()))
            {
                socket.SetRawSocketOption(LevelIP, known.NameIPv4, value);
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
