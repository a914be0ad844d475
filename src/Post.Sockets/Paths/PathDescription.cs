using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Paths;

/// <summary>What Post knows of a path and its transport does not: the interface, and whether its traffic is paid for.</summary>
internal static class PathDescription
{
    public static PostPath Describe(PostPath path, InterfaceWatcher? machine, Local? local)
    {
        if (machine is null || path.LocalEndPoint is not IPEndPoint own)
        {
            return path;
        }

        var found = WayFinder.FindInterface(machine.Current, WayKey.Plain(own.Address));
        var name = path.InterfaceName ?? found?.Name;
        var isMetered = path.IsMetered || found?.IsMetered == true || (name is not null && local?.MeteredInterfaces.Contains(name) == true);
        return name == path.InterfaceName && isMetered == path.IsMetered ? path : path with { InterfaceName = name, IsMetered = isMetered };
    }
}
