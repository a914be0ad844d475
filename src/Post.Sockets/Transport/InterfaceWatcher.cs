namespace Post.Sockets.Transport;

/// <summary>
/// Knows the network interfaces of the machine and hears when they come, go and change. Associations follow the machine by it: see
/// docs/semantics.md. All members may be called from any thread.
/// </summary>
public abstract class InterfaceWatcher
{
    /// <summary>What the machine has now.</summary>
    public abstract InterfaceSnapshot Current { get; }

    /// <summary>Begins to report changes.</summary>
    /// <param name="changed">
    /// Called after a change, from any thread, one call at a time; several changes may be one call, and a call may have no change behind it. It
    /// must not block. <see cref="Current"/> has the change by then.
    /// </param>
    /// <returns>Dispose it to end the reports; one may still be under way then.</returns>
    public abstract IDisposable Watch(Action changed);
}
