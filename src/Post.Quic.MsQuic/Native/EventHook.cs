using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Post.Quic.MsQuic.Native;

/// <summary>
/// Stands before System.Net.Quic's own native callback: shows each event of a connection to its target and passes it on with the
/// same context.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal static unsafe class EventHook
{
    private static readonly ConcurrentDictionary<nint, IEventTarget> ByHandle = new();
    private static delegate* unmanaged[Cdecl]<nint, nint, byte*, int> _original;

    /// <summary>Connections that are hooked now.</summary>
    public static int Count => ByHandle.Count;

    /// <summary>Puts a target before the callback of a connection. The caller holds the handle.</summary>
    public static void Install(MsQuicTable table, nint handle, IEventTarget target)
    {
        if (_original is null)
        {
            _original = QuicInternals.OriginalCallback();
        }

        ByHandle[handle] = target;
        table.SetCallbackHandler(handle, &OnEvent, table.GetContext(handle));
    }

    /// <summary>Forgets a connection whose last event did not come by here; its handle may be another's by now.</summary>
    /// <returns>Whether it was still known.</returns>
    public static bool Remove(nint handle, IEventTarget target) => ByHandle.TryRemove(KeyValuePair.Create(handle, target));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnEvent(nint handle, nint context, byte* address)
    {
        var nativeEvent = new NativeEvent(address);
        IEventTarget? target;
        if (nativeEvent.Type == NativeNumbers.ShutdownComplete)
        {
            // Before it is passed on: afterwards the handle may be closed and its address given to another connection.
            ByHandle.TryRemove(handle, out target);
        }
        else
        {
            ByHandle.TryGetValue(handle, out target);
        }

        if (nativeEvent.Type == NativeNumbers.PeerAddressChanged)
        {
            // After it: the new address is then to be read from the connection.
            int status = _original(handle, context, address);
            Show(target, handle, nativeEvent);
            return status;
        }

        Show(target, handle, nativeEvent);
        return _original(handle, context, address);
    }

    // An exception must not reach native code: the process would die for one connection's sake. Telling of it may fail, too, since
    // that is the application's logger.
    private static void Show(IEventTarget? target, nint handle, in NativeEvent nativeEvent)
    {
        try
        {
            target?.OnEvent(handle, nativeEvent);
        }
        catch (Exception exception)
        {
            try
            {
                target?.OnFailure(exception);
            }
            catch (Exception)
            {
                // There is no other place to report it.
            }
        }
    }
}
