using System.Collections.Concurrent;
using Post.Sockets;

namespace Post.Quic;

/// <summary>The hosted listeners that are running, by the name of their Local; they tell, for example, on which ports they listen.</summary>
public sealed class PostListeners
{
    private readonly ConcurrentDictionary<string, Listener> _running = new(StringComparer.Ordinal);

    internal PostListeners()
    {
    }

    /// <summary>The listener of a Local.</summary>
    /// <param name="localName">The Local's name; null or empty: the unnamed one.</param>
    /// <returns>The listener; null while it does not run.</returns>
    public Listener? Find(string? localName = null) => _running.GetValueOrDefault(localName ?? string.Empty);

    internal void Add(string localName, Listener listener) => _running[localName] = listener;

    internal void Remove(string localName) => _running.TryRemove(localName, out _);
}
