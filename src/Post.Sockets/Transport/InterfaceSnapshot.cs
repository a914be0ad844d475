using System.Collections.Concurrent;
using System.Net;

namespace Post.Sockets.Transport;

/// <summary>The network interfaces of the machine, as they were at one moment, and the way that the machine would choose.</summary>
/// <param name="interfaces">The interfaces, in the order of the system.</param>
/// <param name="source">
/// Finds the address from which the machine sends to another one where no address was chosen; null where it has no way there. Called once for each
/// address, from any thread.
/// </param>
public sealed class InterfaceSnapshot(IReadOnlyList<HostInterface> interfaces, Func<IPAddress, IPAddress?> source)
{
    private readonly ConcurrentDictionary<IPAddress, IPAddress?> _sources = new();

    /// <summary>The interfaces, in the order of the system.</summary>
    public IReadOnlyList<HostInterface> Interfaces { get; } = interfaces;

    /// <summary>The address from which the machine sends to another one where no address was chosen; null where it has no way there.</summary>
    /// <param name="remote">The other address.</param>
    public IPAddress? SourceTo(IPAddress remote) => _sources.GetOrAdd(remote, source);
}
