import { Controller, Post, Body } from "@nestjs/common";

const rooms: string[] = ["lobby"];

@Controller("chat")
export class ChatController {
  @Post("join")
  join(@Body() body: { room: string }) {
    const own = [...rooms];
    own.push(body.room);
    return own;
  }
}
