using System.Net;

namespace Post.Sockets.Testing;

/// <summary>
/// A network interface of a host on an <see cref="InMemoryNetwork"/>, with the link behind it: addresses come and go, the carrier is lost, the
/// link turns bad. Paths from its addresses share its fate, and associations on its host follow it as on a real machine.
/// </summary>
public sealed class InMemoryInterface
{
    private readonly InMemoryTransport _host;
    private readonly List<IPAddress> _addresses = [];
    private bool _isUp = true;
    private bool _isMetered;
    private bool _isSilent;
    private InMemoryLinkOptions _out;
    private InMemoryLinkOptions _in;

    internal InMemoryInterface(InMemoryTransport host, string name, IPAddress address, InMemoryLinkOptions outgoing, InMemoryLinkOptions incoming)
    {
        _host = host;
        Name = name;
        _addresses.Add(address);
        _out = outgoing;
        _in = incoming;
    }

    /// <summary>The name that <see cref="Local.Interfaces"/> and <see cref="PostPath.InterfaceName"/> show.</summary>
    public string Name { get; }

    /// <summary>Its addresses now.</summary>
    public IReadOnlyList<IPAddress> Addresses
    {
        get
        {
            lock (_host.Network.Gate)
            {
                return [.. _addresses];
            }
        }
    }

    /// <summary>False: a cable that is pulled. Nothing comes through, and the host knows.</summary>
    public bool IsUp
    {
        get => _isUp;
        set => Change(() => _isUp = value, isHeard: true);
    }

    /// <summary>True: nothing comes through, and nobody is told, as where a router dies. What is sent is lost.</summary>
    public bool IsSilent
    {
        get => _isSilent;
        set => Change(() => _isSilent = value, isHeard: false);
    }

    /// <summary>The host says that its traffic is paid for.</summary>
    public bool IsMetered
    {
        get => _isMetered;
        set => Change(() => _isMetered = value, isHeard: true);
    }

    /// <summary>What happens to packets that leave by it.</summary>
    public InMemoryLinkOptions Outgoing
    {
        get => _out;
        set => Change(() => _out = value, isHeard: false);
    }

    /// <summary>What happens to packets that come by it.</summary>
    public InMemoryLinkOptions Incoming
    {
        get => _in;
        set => Change(() => _in = value, isHeard: false);
    }

    /// <summary>Gives it one more address.</summary>
    /// <param name="address">The address, which no other interface of the host has.</param>
    public void AddAddress(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Change(() => _addresses.Add(address), isHeard: true);
    }

    /// <summary>Takes an address away: nothing can be sent from it or come to it any more.</summary>
    /// <param name="address">The address.</param>
    public void RemoveAddress(IPAddress address) => Change(() => _addresses.Remove(address), isHeard: true);

    /// <summary>Packets from and to the address come through, as far as the interface has a say in it. Under the network's lock.</summary>
    internal bool Carries(IPAddress address) => _isUp && !_isSilent && _addresses.Contains(address);

    internal bool Has(IPAddress address) => _addresses.Contains(address);

    private void Change(Action change, bool isHeard)
    {
        lock (_host.Network.Gate)
        {
            change();
            _host.Network.ApplyInterface(_host, this);
        }

        if (isHeard)
        {
            _host.ReportInterfaces();
        }
    }
}
