using System.Net;
using Post.Sockets.Transport;

namespace Post.Quic.Interfaces;

/// <summary>Interfaces while they are read, one message after the other.</summary>
internal sealed class InterfaceTable
{
    /// <summary>A router's table does not matter here: beyond this many destinations of an interface, those that come last are left out.</summary>
    private const int MaxRoutes = 256;

    private readonly SortedDictionary<int, Entry> _entries = [];

    public void AddLink(int index, string name, bool isUp)
    {
        Entry entry = At(index);
        entry.Name = name;
        entry.IsUp = isUp;
    }

    public void AddAddress(int index, IPAddress address, bool isDeprecated) =>
        (isDeprecated ? At(index).Deprecated : At(index).Addresses).Add(address);

    public void AddRoute(int index, IPAddress destination, int length)
    {
        List<IPNetwork> routes = At(index).Routes;
        if ((routes.Count < MaxRoutes || length == 0) && IPNetwork.TryParse($"{destination}/{length}", out IPNetwork network) && !routes.Contains(network))
        {
            routes.Add(network);
        }
    }

    /// <summary>What has a name; the rest was read while it went.</summary>
    public IReadOnlyList<HostInterface> ToInterfaces() =>
        [.. _entries.Values.Where(static entry => entry.Name is not null).Select(static entry => new HostInterface
        {
            Name = entry.Name!,
            IsUp = entry.IsUp,
            Addresses = [.. entry.Addresses, .. entry.Deprecated],
            Routes = entry.Routes,
        })];

    private Entry At(int index)
    {
        if (!_entries.TryGetValue(index, out Entry? entry))
        {
            _entries.Add(index, entry = new Entry());
        }

        return entry;
    }

    private sealed class Entry
    {
        public string? Name { get; set; }

        public bool IsUp { get; set; }

        public List<IPAddress> Addresses { get; } = [];

        public List<IPAddress> Deprecated { get; } = [];

        public List<IPNetwork> Routes { get; } = [];
    }
}
