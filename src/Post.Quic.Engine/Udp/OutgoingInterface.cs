using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// Has a socket send by the interface that has its address. A source address alone decides nothing: with two default routes, the machine
/// sends all by the preferred one, and what leaves there with the other interface's address is dropped on its way or gets no answer. The
/// options are those that need no privileges, and change nothing of what is received.
/// </summary>
internal static class OutgoingInterface
{
    /// <summary>The number of the interface that has an address; 0 where none is needed, or none has it.</summary>
    /// <param name="local">The address that is sent from.</param>
    /// <param name="remote">Where to. What is sent to this machine itself goes by no interface.</param>
    public static int Find(IPAddress local, IPAddress remote)
    {
        if (IPAddress.IsLoopback(local) || local.Equals(IPAddress.Any) || local.Equals(IPAddress.IPv6Any))
        {
            return 0;
        }

        int found = 0;
        try
        {
            foreach (NetworkInterface one in NetworkInterface.GetAllNetworkInterfaces())
            {
                IPInterfaceProperties properties = one.GetIPProperties();
                foreach (UnicastIPAddressInformation own in properties.UnicastAddresses)
                {
                    if (own.Address.Equals(remote))
                    {
                        return 0;
                    }

                    if (own.Address.Equals(local))
                    {
                        found = local.AddressFamily == AddressFamily.InterNetworkV6
                            ? properties.GetIPv6Properties().Index
                            : properties.GetIPv4Properties().Index;
                    }
                }
            }
        }
        catch (NetworkInformationException)
        {
            // The interface went while it was looked at: what is sent will fail, and say so.
        }

        return found;
    }

    public static void TrySet(Socket socket, int index)
    {
        const int IP = 0;
        const int IPv6 = 41;
        bool isIPv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        (int name, bool inNetworkOrder) = OperatingSystem.IsLinux() ? (isIPv6 ? 76 : 50, true)
            : OperatingSystem.IsWindows() ? (31, !isIPv6)
            : OperatingSystem.IsMacOS() ? (isIPv6 ? 125 : 25, false)
            : (0, false);
        if (name == 0)
        {
            return;
        }

        Span<byte> value = stackalloc byte[sizeof(int)];
        if (inNetworkOrder)
        {
            BinaryPrimitives.WriteInt32BigEndian(value, index);
        }
        else
        {
            BitConverter.TryWriteBytes(value, index);
        }

        try
        {
            socket.SetRawSocketOption(isIPv6 ? IPv6 : IP, name, value);
        }
        catch (SocketException)
        {
            // The routes decide, as they do without it.
        }
    }
}
