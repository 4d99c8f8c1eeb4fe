// What the page uses of Apache ECharts, and no more.
export { getInstanceByDom, init } from "echarts/core";

import { CustomChart, LineChart } from "echarts/charts";
import { BrushComponent, GridComponent, TooltipComponent } from "echarts/components";
import { use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([CustomChart, LineChart, BrushComponent, GridComponent, TooltipComponent, CanvasRenderer]);
