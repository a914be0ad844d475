using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Interfaces;

/// <summary>The interfaces as .NET tells of them on every system.</summary>
internal sealed class PortableInterfaces : MachineInterfaces
{
    public PortableInterfaces()
    {
        NetworkChange.NetworkAddressChanged += OnChanged;
        NetworkChange.NetworkAvailabilityChanged += OnChanged;
    }

    protected override InterfaceSnapshot Read()
    {
        var interfaces = new List<HostInterface>();
        try
        {
            foreach (NetworkInterface one in NetworkInterface.GetAllNetworkInterfaces())
            {
                interfaces.Add(Translate(one));
            }
        }
        catch (NetworkInformationException)
        {
            // It changed while it was read; the next change tells.
        }

        return new InterfaceSnapshot(interfaces, FindSource);
    }

    protected override void Dispose(bool disposing)
    {
        NetworkChange.NetworkAddressChanged -= OnChanged;
        NetworkChange.NetworkAvailabilityChanged -= OnChanged;
    }

    private void OnChanged(object? sender, EventArgs change) => Report();

    private static HostInterface Translate(NetworkInterface one)
    {
        IPInterfaceProperties properties = one.GetIPProperties();
        var routes = new List<IPNetwork>();
        foreach (UnicastIPAddressInformation own in properties.UnicastAddresses)
        {
            routes.Add(NetworkOf(own.Address, own.PrefixLength));
        }

        foreach (GatewayIPAddressInformation gateway in properties.GatewayAddresses)
        {
            routes.Add(new IPNetwork(gateway.Address.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0));
        }

        return new HostInterface
        {
            Name = one.Name,
            IsUp = one.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown,
            Addresses = [.. properties.UnicastAddresses.Select(static own => own.Address)],
            Routes = routes,
        };
    }

    private static IPNetwork NetworkOf(IPAddress address, int length)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), length);
    }

    /// <summary>A socket that is connected has its source, and nothing was sent.</summary>
    private static IPAddress? FindSource(IPAddress remote)
    {
        try
        {
            using var probe = new Socket(remote.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(new IPEndPoint(remote, 9));
            return ((IPEndPoint)probe.LocalEndPoint!).Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
